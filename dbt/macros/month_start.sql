{#-
  The moment at which a month (a date in it) begins in a timezone: found from the 15th, which is in the month all over the world. TIMESTAMP(date,
  timezone) would say the same, but not every engine takes a timezone from a column there.
-#}
{% macro month_start(month, timezone) -%}
    timestamp_trunc(timestamp(date_add({{ month }}, interval 14 day)), month, {{ timezone }})
{%- endmacro %}
