{#- Values in the rows of unit tests; dbt's own casts a text to JSON, which BigQuery refuses. Scalars and JSON only. -#}
{%- macro bigquery__safe_cast(field, type) -%}
    {%- if type | lower == 'json' and field is string -%}
        parse_json({{ field }})
    {%- else -%}
        safe_cast({{ field }} as {{ type }})
    {%- endif -%}
{%- endmacro -%}
