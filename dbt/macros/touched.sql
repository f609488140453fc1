{#-
  The months that loads touched since the last build, from the ledger by way of TRIBUTARY_TOUCHED: {"stripe_invoices": ["2025-11-01"]}.
  None where the run doesn't say; then everything is built. Each month by its first day, those of all the tables together.
-#}
{% macro touched_months(tables) -%}
    {%- set given = env_var('TRIBUTARY_TOUCHED', '') -%}
    {%- if not given %}{{ return(none) }}{% endif -%}
    {%- set months = [] -%}
    {%- for table in tables -%}
        {%- for month in fromjson(given).get(table, []) if month not in months -%}{%- do months.append(month) -%}{%- endfor -%}
    {%- endfor -%}
    {{ return(months | sort) }}
{%- endmacro %}

{#- For `partitions`: literals, so that BigQuery replaces these and reads no others. A list must not be empty; nothing is as old as the epoch. -#}
{% macro touched_partitions(tables) -%}
    {%- set literals = [] -%}
    {%- for month in touched_months(tables) or ['1970-01-01'] -%}{%- do literals.append("date '" ~ month ~ "'") -%}{%- endfor -%}
    {{ return(literals) }}
{%- endmacro %}

{#- For `full_refresh`: a run that doesn't say what was touched builds everything; another one leaves it to the command line. -#}
{% macro whole_unless_touched() -%}
    {{ return(none if env_var('TRIBUTARY_TOUCHED', '') else true) }}
{%- endmacro %}

{#- Whether a date is in these months; true when everything is built. Ranges, since these prune partitions of any granularity. -#}
{% macro in_touched(date, tables) -%}
    {%- set months = touched_months(tables) -%}
    {%- if not is_incremental() or months is none -%}
        true
    {%- else -%}
        ({% for month in months or ['1970-01-01'] -%}
            {%- set first = modules.datetime.date.fromisoformat(month) -%}
            {%- set next = (first + modules.datetime.timedelta(days=31)).replace(day=1) -%}
            ({{ date }} >= date '{{ first }}' and {{ date }} < date '{{ next }}'){{ ' or ' if not loop.last }}
        {%- endfor %})
    {%- endif -%}
{%- endmacro %}
