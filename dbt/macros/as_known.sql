{#-
  The moment up to which observations count, as text: the `known_at` variable, else the environment's TRIBUTARY_KNOWN_AT, else nothing,
  which is all that is known. Not asked while parsing, so that another moment doesn't make dbt parse every staging model again.
-#}
{% macro given_known_at() -%}
    {%- if var('known_at') and not env_var('DBT_DATASET_PREFIX', '') -%}
        {{ exceptions.raise_compiler_error(
            "known_at rebuilds a past in the place of the present; give that past datasets of its own by DBT_DATASET_PREFIX, such as then_"
        ) }}
    {%- endif -%}
    {{ return((var('known_at') or env_var('TRIBUTARY_KNOWN_AT', '')) if execute else '') }}
{%- endmacro %}

{% macro known_at() -%}
    {{ moment_literal(given_known_at()) if given_known_at() else 'cast(null as timestamp)' }}
{%- endmacro %}

{#-
  A raw table as it was known at that moment: of each record the version that had been observed then. A record that was first seen later
  isn't there, one that was deleted later still is. Without a moment it is the table itself.
-#}
{% macro as_known(source_name, table) -%}
    {%- set raw = source(source_name, table) -%}
    {%- if not given_known_at() -%}
        {{ raw }}
    {%- else -%}
        {%- set moment = moment_literal(given_known_at()) -%}
        {%- set columns = graph.sources['source.' ~ project_name ~ '.' ~ source_name ~ '.' ~ table].columns -%}
        {%- for dataset in ('raw', 'raw_history') %}
        {{ '(' if loop.first else 'union all' }}
        select
            {%- for column in columns %}
            {% if column == '_observed_at' %}least(_observed_at, {{ moment }}) as _observed_at{% else %}{{ adapter.quote(column) }}{% endif %}{{ ',' if not loop.last }}
            {%- endfor %}
        from {{ raw.incorporate(path={'schema': dataset}) }}
        where _valid_from <= {{ moment }}{% if dataset == 'raw_history' %} and _valid_to > {{ moment }}{% endif %}
        {{- '\n        )' if loop.last }}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{#- Whether what happened at that time was known at the moment; of a time that wasn't, nothing. For models of versions. -#}
{% macro was_known(column) -%}
    {{ column ~ ' <= ' ~ moment_literal(given_known_at()) if given_known_at() else 'true' }}
{%- endmacro %}

{% macro if_known(column) -%}
    case when {{ was_known(column) }} then {{ column }} end
{%- endmacro %}

{#-
  The children that parents list, and those that they list no more, as they were last, with the moment of that as `_deleted_at`. A load
  replaces the children of a parent whole: what a living parent no longer has is in raw_history alone, while other records still name it.
-#}
{% macro listed_or_former(source_name, table, key, columns) -%}
    (
        select {{ columns | join(', ') }}, _deleted_at, _observed_at
        from {{ as_known(source_name, table) }} as listed
        union all
        select {{ columns | join(', ') }}, _valid_to, _observed_at
        from (
            select
                {%- for column in columns %}
                versions.{{ column }},
                {%- endfor %}
                versions._valid_to,
                versions._observed_at,
                row_number() over (
                    partition by versions.{{ key | join(', versions.') }} order by versions._valid_to desc
                ) as recency
            from {{ source('history', table) }} as versions
            left join {{ as_known(source_name, table) }} as listed
                on {% for part in key %}listed.{{ part }} = versions.{{ part }}{{ ' and ' if not loop.last }}{% endfor %}
            where listed.client_id is null and {{ was_known('versions._valid_from') }}
        )
        where recency = 1
    )
{%- endmacro %}
