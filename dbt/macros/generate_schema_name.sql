{#- Models land in the datasets that the design names, not in `<target dataset>_<name>`. A build that shall leave those alone, such as
    a pull request's, gives DBT_DATASET_PREFIX. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ env_var('DBT_DATASET_PREFIX', '') }}{{ custom_schema_name | trim if custom_schema_name else target.schema }}
{%- endmacro %}
