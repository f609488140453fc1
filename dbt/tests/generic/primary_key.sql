{#-
  Rows whose key, over several columns, is incomplete or occurs more than once. not_null and unique in one pass:
  dbt's own `unique` knows one column only, and a test per key column costs a query each.
-#}
{% test primary_key(model, columns) %}
select {{ columns | join(', ') }}, count(*) as occurrences
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
    or {% for column in columns %}{{ column }} is null{{ ' or ' if not loop.last }}{% endfor %}
{% endtest %}
