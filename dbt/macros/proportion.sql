{#-
  What `part` of `whole` is of an amount, rounded to the currency's minor unit, halves away from zero. All three in major units. Computed in
  minor units, so that a half is exact on engines whose division is FLOAT. Needs the `currencies` seed joined; nothing of nothing is zero.
-#}
{% macro proportion(amount, part, whole, seed='currencies') -%}
    cast(coalesce(round(
        {{ minor_units(amount, seed) }} * {{ minor_units(part, seed) }} / nullif({{ minor_units(whole, seed) }}, 0)
    ), 0) * {{ major_per_minor(seed) }} as numeric)
{%- endmacro %}

{#- Major units back to whole minor units, as NUMERIC. -#}
{% macro minor_units(amount, seed='currencies') -%}
    cast(round(({{ amount }}) / {{ major_per_minor(seed) }}) as numeric)
{%- endmacro %}
