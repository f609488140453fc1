{#-
  One spelling per mailbox: lower case, without a +tag, without what nobody sees and the blanks around it, out of a
  display name or a `mailto:` link. Null when there is nothing that could be a mailbox, so that empty and malformed
  addresses can never match each other. Where a contract hashes addresses, that was done before, and the hash is the
  mailbox. The expression is that of plugins/tributary/mailboxes.py, by which people are erased; a test compares them.
-#}
{% macro normalised_email(email) -%}
    coalesce(
        lower(regexp_replace(
            regexp_extract(
                regexp_replace(
                    normalize(
                        regexp_replace(
                            {{ email }},
                            r'[\x{0}-\x{8}\x{E}-\x{1F}\x{7F}-\x{84}\x{86}-\x{9F}\x{AD}\x{34F}\x{61C}\x{115F}\x{1160}\x{17B4}\x{17B5}\x{180B}-\x{180F}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{206F}\x{3164}\x{FE00}-\x{FE0F}\x{FEFF}\x{FFA0}\x{FFF0}-\x{FFFB}\x{1BCA0}-\x{1BCA3}\x{1D173}-\x{1D17A}\x{E0000}-\x{E0FFF}]',
                            ''
                        ),
                        NFC
                    ),
                    r'[\x{9}-\x{D}\x{20}\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{2800}\x{3000}]+',
                    ' '
                ),
                r'^ ?(?:[^<>]*< ?)?(?:[Mm][Aa][Ii][Ll][Tt][Oo]: ?)?([^@ +<>][^@ <>]*@[^@ <>?]+)(?:\?[^<>]*)? ?>? ?$'
            ),
            r'\+[^@]*@',
            '@'
        )),
        regexp_extract({{ email }}, r'^[0-9a-f]{64}$')
    )
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
