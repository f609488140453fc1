{#- Months until the margin on recurring revenue has paid for a cost, both in one currency, to the tenth of a month; null where there is none of either. -#}
{% macro payback_months(cost, margin, mrr) -%}
    cast(cast(round(({{ cost }}) * 10 / nullif({{ margin }} * {{ mrr }}, 0)) as numeric) * numeric '0.1' as numeric)
{%- endmacro %}
