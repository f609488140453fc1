{#- Sum of a member, `amount` unless told, over a JSON list such as `total_discount_amounts`, in minor units; zero for none. -#}
{% macro summed_amounts(json_list, member='amount') -%}
    (select coalesce(sum(cast(json_value(entry, '$.{{ member }}') as int64)), 0) from unnest(json_query_array({{ json_list }})) as entry)
{%- endmacro %}
