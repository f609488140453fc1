{{ config(
    partition_by={'field': 'created_on', 'data_type': 'date', 'granularity': 'month'},
    cluster_by=['client_id', 'invoice_id']
) }}

with lines as (
    select
        client_id,
        invoice_id,
        sum(gross_amount) as gross_amount,
        sum(discount_amount) as discount_amount,
        sum(billing_credit_amount) as billing_credit_amount,
        sum(tax_amount) as tax_amount,
        sum(inclusive_tax_amount) as inclusive_tax_amount,
        sum(net_amount) as net_amount,
        sum(case when is_shipping then net_amount else numeric '0' end) as shipping_amount,
        sum(voided_amount) as voided_amount,
        sum(credited_amount) as credited_amount,
        sum(refunded_amount) as refunded_amount,
        sum(disputed_amount) as disputed_amount,
        sum(net_revenue) as net_revenue
    from {{ ref('invoice_lines') }}
    group by client_id, invoice_id
)

select
    invoices.client_id,
    invoices.invoice_id,
    invoices.invoice_number,
    invoices.customer_id,
    customers.person_key,
    invoices.subscription_id,
    invoices.status,
    invoices.billing_reason,
    invoices.collection_method,
    invoices.created_at,
    date(invoices.created_at, clients.reporting_timezone) as created_on,
    invoices.finalized_at as issued_at,
    invoices.due_at,
    invoices.paid_at,
    invoices.voided_at,
    lower(invoices.currency) as currency,
    coalesce(lines.gross_amount, numeric '0') as gross_amount,
    coalesce(lines.discount_amount, numeric '0') as discount_amount,
    coalesce(lines.billing_credit_amount, numeric '0') as billing_credit_amount,
    coalesce(lines.inclusive_tax_amount, numeric '0') as inclusive_tax_amount,
    coalesce(lines.tax_amount, numeric '0') as tax_amount,
    coalesce(lines.net_amount, numeric '0') as net_amount,
    cast(coalesce(lines.shipping_amount, numeric '0') as numeric) as shipping_amount,
    coalesce(lines.voided_amount, numeric '0') as voided_amount,
    coalesce(lines.credited_amount, numeric '0') as credited_amount,
    coalesce(lines.refunded_amount, numeric '0') as refunded_amount,
    coalesce(lines.disputed_amount, numeric '0') as disputed_amount,
    coalesce(lines.net_revenue, numeric '0') as net_revenue,
    invoices.total,
    invoices.amount_due,
    invoices.amount_paid,
    cast(coalesce(marked.amount, numeric '0') as numeric) as marked_paid_amount,
    invoices.amount_remaining,
    case when invoices.status = 'uncollectible' then invoices.amount_remaining else numeric '0' end as written_off_amount,
    invoices.status = 'open' and coalesce(invoices.due_at < moment.as_of, false) as is_overdue,
    invoices.is_test_mode
from {{ ref('stg_stripe__invoices') }} as invoices
cross join {{ ref('int_as_of') }} as moment
inner join {{ ref('int_clients') }} as clients on clients.client_id = invoices.client_id
left join {{ ref('int_marked_paid') }} as marked
    on marked.client_id = invoices.client_id and marked.invoice_id = invoices.invoice_id
left join lines
    on lines.client_id = invoices.client_id and lines.invoice_id = invoices.invoice_id
left join {{ ref('int_customer_persons') }} as customers
    on customers.client_id = invoices.client_id and customers.customer_id = invoices.customer_id
where not invoices.is_deleted and invoices.created_at < moment.as_of
