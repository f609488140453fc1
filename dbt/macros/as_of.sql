{#-
  The moment that the run is for, as text: the `as_of` variable, else the environment's TRIBUTARY_AS_OF, else nothing.
  The environment is there for speed: other variables make dbt parse the whole project again, in every task.
-#}
{% macro given_as_of() -%}
    {{ return(var('as_of') or env_var('TRIBUTARY_AS_OF', '')) }}
{%- endmacro %}

{#- Text in UTC or with its offset as a timestamp literal. Refuses what is no moment. -#}
{% macro moment_literal(text) -%}
    {%- if not modules.re.match('^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})$', text | string) -%}
        {{ exceptions.raise_compiler_error(
            "as_of is '" ~ text ~ "'; expected a moment with its offset, such as 2026-01-05T00:00:00Z"
        ) }}
    {%- endif -%}
    timestamp '{{ text }}'
{%- endmacro %}

{#- Client -> currency of its account, as the environment's TRIBUTARY_CURRENCIES has them (JSON); the DAG gives those of `clients.yml`. -#}
{% macro given_currencies() -%}
    {{ return(fromjson(env_var('TRIBUTARY_CURRENCIES', '') or '{}')) }}
{%- endmacro %}
