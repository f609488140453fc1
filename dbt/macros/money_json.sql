{#- Sum of the `amount` members of a JSON list such as `total_discount_amounts`, in minor units; zero for none. -#}
{% macro summed_amounts(json_list) -%}
    (select coalesce(sum(cast(json_value(entry, '$.amount') as int64)), 0) from unnest(json_query_array({{ json_list }})) as entry)
{%- endmacro %}
