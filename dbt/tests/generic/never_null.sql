{#- Rows that lack a value which something is counted or added up by. dbt's own `not_null` costs a query per column. -#}
{% test never_null(model, columns) %}
select *
from {{ model }}
where {% for column in columns %}{{ column }} is null{{ ' or ' if not loop.last }}{% endfor %}
{% endtest %}
