{#- Compares a model's columns to its contract, as dbt's `assert_columns_equivalent` does, but reads the declared half from the YAML.
    dbt asks BigQuery for it with a query per model. A type that isn't listed here is left to dbt.
    The DAGs leave it out: names and types of columns depend on the SQL and not on the day, so that CI has checked them. -#}
{% macro bigquery__get_assert_columns_equivalent(sql) -%}
  {%- if env_var('TRIBUTARY_CHECK_MODEL_CONTRACTS', 'true') != 'true' -%}
    {{ return('') }}
  {%- endif -%}
  {%- set types = {
      'bool': 'BOOLEAN', 'date': 'DATE', 'float64': 'FLOAT64', 'int64': 'INT64', 'json': 'JSON', 'numeric': 'NUMERIC',
      'numeric(38,9)': 'NUMERIC', 'string': 'STRING', 'timestamp': 'TIMESTAMP'
  } -%}
  {%- set declared = [] -%}
  {%- for column in model['columns'].values() if '.' not in column['name'] and (column['data_type'] or '') | lower in types -%}
    {%- set type = types[column['data_type'] | lower] -%}
    {%- do declared.append({'name': column['name'], 'data_type': type, 'formatted': column['name'] | lower ~ ' ' ~ type}) -%}
  {%- endfor -%}
  {%- if not declared or declared | length != model['columns'] | length -%}
    {{ return(assert_columns_equivalent(sql)) }}
  {%- endif -%}

  {%- set selected = format_columns(get_column_schema_from_query(sql, config.get('sql_header'))) -%}
  {%- set wanted = declared | map(attribute='formatted') | sort -%}
  {%- if selected | map(attribute='formatted') | sort != wanted -%}
    {%- do exceptions.raise_contract_error(declared, selected) -%}
  {%- endif -%}
{%- endmacro %}
