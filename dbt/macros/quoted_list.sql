{#- ['a', 'b'] as the SQL list 'a', 'b'. -#}
{% macro quoted_list(values) -%}
    {%- for value in values %}'{{ value | replace("'", "\\'") }}'{{ ', ' if not loop.last }}{% endfor -%}
{%- endmacro %}
