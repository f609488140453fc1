{#- Rows that name a parent which the same client does not have. dbt's `relationships` would accept another client's. -#}
{% test belongs_to(model, column_name, to, field) %}
with child as (
    select client_id, {{ column_name }}
    from {{ model }}
)

select child.client_id, child.{{ column_name }}
from child
left join {{ to }} as parent
    on parent.client_id = child.client_id and parent.{{ field }} = child.{{ column_name }}
where child.{{ column_name }} is not null and parent.{{ field }} is null
{% endtest %}
