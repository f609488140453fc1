{#- Sum of a member, `amount` unless told, over a JSON list such as `total_discount_amounts`, in minor units; zero for none. -#}
{% macro summed_amounts(json_list, member='amount') -%}
    (select coalesce(sum(cast(json_value(entry, '$.{{ member }}') as int64)), 0) from unnest(json_query_array({{ json_list }})) as entry)
{%- endmacro %}

{#- Sum of the taxes that the taxed amount contains, in minor units: `tax_behavior` tells, `inclusive` before 2025-03-31. -#}
{% macro inclusive_taxes(json_list) -%}
    (
        select coalesce(sum(cast(json_value(entry, '$.amount') as int64)), 0)
        from unnest(json_query_array({{ json_list }})) as entry
        where json_value(entry, '$.tax_behavior') = 'inclusive' or json_value(entry, '$.inclusive') = 'true'
    )
{%- endmacro %}

{#- Sum of the billing credits in a list of pretax credits, in minor units. Its entries of type `discount` are among the discounts already. -#}
{% macro billing_credits(json_list) -%}
    (
        select coalesce(sum(cast(json_value(entry, '$.amount') as int64)), 0)
        from unnest(json_query_array({{ json_list }})) as entry
        where json_value(entry, '$.type') = 'credit_balance_transaction'
    )
{%- endmacro %}

{#- Sum of what a credit note's list of refunds gave back through another processor than Stripe, in minor units. -#}
{% macro outside_refunds(json_list) -%}
    (
        select coalesce(sum(cast(json_value(entry, '$.amount_refunded') as int64)), 0)
        from unnest(json_query_array({{ json_list }})) as entry
        where json_value(entry, '$.type') = 'payment_record_refund'
    )
{%- endmacro %}
