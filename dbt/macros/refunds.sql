{#- Whether a refund has paid money back. One of a card authorisation that ran out was never charged: there was nothing to give back. -#}
{% macro gives_back(refunds) -%}
    (
        not {{ refunds }}.is_deleted
        and {{ refunds }}.status not in ('failed', 'canceled')
        and coalesce({{ refunds }}.reason, '') != 'expired_uncaptured_charge'
    )
{%- endmacro %}
