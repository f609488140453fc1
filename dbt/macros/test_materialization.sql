{#- Runs a data test as one query. `dq` holds what failed and nothing else: a table of rows is written where the test found too many,
    and dropped where it found none. dbt's own materialization writes a table for every test, which on BigQuery is a job and a delete
    request each. The rows of a failed test are selected a second time, so a load in between can change them. -#}
{% materialization test, adapter='bigquery' %}
  {%- set rows = get_limit_subquery_sql(sql, config.get('limit')) -%}
  {%- call statement('main', fetch_result=True) -%}
    {{ get_test_sql(rows, config.get('fail_calc'), config.get('warn_if'), config.get('error_if'), limit=none) }}
  {%- endcall -%}
  {%- if not should_store_failures() -%}
    {{ return({'relations': []}) }}
  {%- endif -%}

  {%- set kind = config.get('store_failures_as') or 'table' -%}
  {%- set kept = api.Relation.create(database=database, schema=schema, identifier=model['alias'], type=kind) -%}
  {%- set old = adapter.get_relation(database=database, schema=schema, identifier=model['alias']) -%}
  {%- set result = load_result('main')['table'].rows[0] -%}
  {%- set found = result['should_warn'] or result['should_error'] -%}
  {%- if old and (not found or old.type != kept.type) -%}
    {%- do adapter.drop_relation(old) -%}
  {%- endif -%}
  {%- if found -%}
    {%- call statement('rows') -%}
      {{ get_create_sql(kept, rows) }}
    {%- endcall -%}
  {%- endif -%}
  {{ return({'relations': [kept] if found else []}) }}
{% endmaterialization %}
