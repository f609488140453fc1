{#-
  What bills of an amount come to in a month, to the currency's minor unit: once a year is a twelfth, once a week 52 twelfths. Needs the columns
  bills_per_year and months_per_bills of `billed`, and the `currencies` seed joined. In minor units and rounded to millionths first, so that
  a half of a unit is one on engines whose division is FLOAT.
-#}
{% macro monthly_amount(amount) -%}
    cast(round(cast(
        ({{ amount }}) / {{ major_per_minor() }} * billed.bills_per_year / billed.months_per_bills
    as numeric)) * {{ major_per_minor() }} as numeric)
{%- endmacro %}
