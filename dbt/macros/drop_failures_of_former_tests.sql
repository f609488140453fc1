{#- Drops the tables of failed rows whose test has been renamed, removed or disabled since: nothing would ever write or drop them again,
    and the people in those rows would outlive their erasure. -#}
{% macro drop_failures_of_former_tests() -%}
  {%- if execute -%}
    {%- set tests = graph.nodes.values() | selectattr('resource_type', 'equalto', 'test') | list -%}
    {%- set names = tests | map(attribute='alias') | list -%}
    {%- for schema in tests | map(attribute='schema') | unique -%}
      {%- set dataset = api.Relation.create(database=target.database, schema=schema).without_identifier() -%}
      {%- for relation in adapter.list_relations_without_caching(dataset) if relation.identifier not in names -%}
        {%- do log('dropping ' ~ relation ~ ', which belongs to no test', info=true) -%}
        {%- do adapter.drop_relation(relation) -%}
      {%- endfor -%}
    {%- endfor -%}
  {%- endif -%}
{%- endmacro %}
