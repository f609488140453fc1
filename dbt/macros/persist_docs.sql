{#- Writes the comments of columns without reading first which columns there are: the contracts, all of them enforced, say it. The
    comment of the relation itself is in its DDL (`bigquery_noop_alter_relation_comment` in dbt_project.yml). -#}
{% macro bigquery__persist_docs(relation, model, for_relation, for_columns) -%}
  {%- if for_relation and config.persist_relation_docs() and model.description -%}
    {%- do alter_relation_comment(relation, model.description) -%}
  {%- endif -%}
  {%- if for_columns and config.persist_column_docs() and model.columns -%}
    {%- do alter_column_comment(relation, model.columns) -%}
  {%- endif -%}
{%- endmacro %}
