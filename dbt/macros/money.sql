{#-
  Integer minor units to NUMERIC major units: 1099 -> 10.99 (USD), 1099 (JPY), 1.099 (KWD).
  A product, not a quotient: NUMERIC times NUMERIC is exact, while a division is FLOAT on some engines. The cast on the
  outside states the type, which the product itself may widen. Needs the `currencies` seed joined under the name
  `currencies`, or the one that is given.
-#}
{% macro major_units(amount, seed='currencies') -%}
    cast(cast({{ amount }} as numeric) * {{ major_per_minor(seed) }} as numeric)
{%- endmacro %}

{#- A currency that the seed doesn't list has two decimals, which is Stripe's own default. -#}
{% macro major_per_minor(seed='currencies') -%}
    coalesce({{ seed }}.major_per_minor, numeric '0.01')
{%- endmacro %}
