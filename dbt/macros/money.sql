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

{#- To the minor unit, halves away from zero. By cases, since the number of places must be a constant on some engines. -#}
{% macro rounded_money(amount, seed='currencies') -%}
    case coalesce({{ seed }}.exponent, 2)
        when 0 then cast(round({{ amount }}, 0) as numeric)
        when 3 then cast(round({{ amount }}, 3) as numeric)
        else cast(round({{ amount }}, 2) as numeric)
    end
{%- endmacro %}
