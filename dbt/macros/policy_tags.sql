{#- Beside its comment a column gets the policy tag of the personal data in it (`meta: {pii: <kind>}`), if TRIBUTARY_POLICY_TAGS has
    one: JSON of kind -> policy tag, as Terraform's output of that name. BigQuery sets tags in the same request and by no SQL. -#}
{% macro bigquery__alter_column_comment(relation, column_dict) -%}
  {%- set tags = fromjson(env_var('TRIBUTARY_POLICY_TAGS', '') or '{}') -%}
  {%- set columns = {} -%}
  {%- for name, column in column_dict.items() -%}
    {%- set tag = tags.get(column.meta.pii) -%}
    {%- do columns.update({name: dict(column, policy_tags=[tag] if tag else [])}) -%}
  {%- endfor -%}
  {%- do adapter.update_columns(relation, columns) -%}
{%- endmacro %}
