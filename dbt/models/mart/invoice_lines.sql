{{ config(
    partition_by={'field': 'issued_on', 'data_type': 'date', 'granularity': 'month'},
    cluster_by=['client_id', 'invoice_id']
) }}

with taken_off as (
    select
        client_id,
        invoice_id,
        invoice_line_id,
        sum(case when kind = 'voided' then -amount else numeric '0' end) as voided_amount,
        sum(case when kind in ('credit_note', 'credit_note_voided') then -amount else numeric '0' end) as credited_amount,
        sum(case when kind in ('refund', 'refund_voided') then -amount else numeric '0' end) as refunded_amount,
        sum(case when kind in ('lost_dispute', 'lost_dispute_voided') then -amount else numeric '0' end) as disputed_amount,
        sum(amount) as net_revenue
    from {{ ref('int_revenue_entries') }}
    where invoice_line_id is not null
    group by client_id, invoice_id, invoice_line_id
)

select
    amounts.client_id,
    amounts.invoice_id,
    amounts.invoice_line_id,
    invoices.customer_id,
    customers.person_key,
    lines.subscription_id,
    lines.subscription_item_id,
    lines.price_id,
    lines.product_id,
    products.product_name,
    case when lines.invoice_line_id is null then 'Shipping' else lines.description end as description,
    lines.invoice_line_id is null as is_shipping,
    lines.is_proration,
    lines.period_start,
    lines.period_end,
    lines.quantity,
    invoices.finalized_at as issued_at,
    date(invoices.finalized_at, clients.reporting_timezone) as issued_on,
    amounts.currency,
    amounts.gross_amount,
    amounts.discount_amount,
    amounts.billing_credit_amount,
    amounts.inclusive_tax_amount,
    amounts.tax_amount,
    amounts.net_amount,
    cast(taken_off.voided_amount as numeric) as voided_amount,
    cast(taken_off.credited_amount as numeric) as credited_amount,
    cast(taken_off.refunded_amount as numeric) as refunded_amount,
    cast(taken_off.disputed_amount as numeric) as disputed_amount,
    cast(taken_off.net_revenue as numeric) as net_revenue
from {{ ref('int_invoice_line_amounts') }} as amounts
inner join taken_off
    on taken_off.client_id = amounts.client_id
    and taken_off.invoice_id = amounts.invoice_id
    and taken_off.invoice_line_id = amounts.invoice_line_id
inner join {{ ref('stg_stripe__invoices') }} as invoices
    on invoices.client_id = amounts.client_id and invoices.invoice_id = amounts.invoice_id
left join {{ ref('stg_stripe__invoice_lines') }} as lines
    on lines.client_id = amounts.client_id
    and lines.invoice_id = amounts.invoice_id
    and lines.invoice_line_id = amounts.invoice_line_id
inner join {{ ref('int_clients') }} as clients on clients.client_id = amounts.client_id
left join {{ ref('int_customer_persons') }} as customers
    on customers.client_id = invoices.client_id and customers.customer_id = invoices.customer_id
left join {{ ref('stg_stripe__products') }} as products
    on products.client_id = lines.client_id and products.product_id = lines.product_id
