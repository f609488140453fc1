{#-
  One spelling per mailbox: trimmed, lower case, without a +tag. Null when there is nothing that could be a mailbox,
  so that empty and malformed addresses can never match each other. Trimmed by pattern, since engines disagree on
  what TRIM takes off. Where a contract hashes addresses, that was done before, and the hash is the mailbox.
-#}
{% macro normalised_email(email) -%}
    case
        when regexp_contains({{ email }}, r'^\s*[^@\s+][^@\s]*@[^@\s]+\s*$')
            then regexp_replace(lower(regexp_replace({{ email }}, r'\s', '')), r'\+[^@]*@', '@')
        when regexp_contains({{ email }}, r'^[0-9a-f]{64}$') then {{ email }}
    end
{%- endmacro %}

{#- The host of a web address or of a bare domain, lower case and without `www.`: `https://www.Acme.com/about` -> `acme.com`. -#}
{% macro normalised_domain(address) -%}
    regexp_extract(lower({{ address }}), r'^\s*(?:https?://)?(?:www\.)?([^\s/:@]+\.[^\s/:@]+)')
{%- endmacro %}

{#- An id that people or integrations have written down: without blanks around it, null when nothing is left. -#}
{% macro written_id(value) -%}
    regexp_extract({{ value }}, r'^\s*(\S+)\s*$')
{%- endmacro %}

{#- Opaque and stable: the same person has the same key in every run, and the key shows no address. -#}
{% macro person_key(client_id, kind, value) -%}
    to_hex(sha256(concat({{ client_id }}, '|{{ kind }}|', {{ value }})))
{%- endmacro %}
