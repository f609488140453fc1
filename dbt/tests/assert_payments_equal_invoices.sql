-- The payments of an invoice come to what the invoice says was paid: no charge is missing, doubled or with the wrong invoice. Those that
-- were marked as paid have none; assert_paid_invoices_have_payments shows them.
with paid as (
    select client_id, invoice_id, currency, sum(amount) as amount
    from {{ ref('payments') }}
    where status = 'succeeded' and invoice_id is not null
    group by client_id, invoice_id, currency
)

select
    invoices.client_id,
    invoices.invoice_id,
    invoices.currency,
    invoices.amount_paid,
    paid.amount as amount_of_payments
from {{ ref('invoices') }} as invoices
left join paid
    on paid.client_id = invoices.client_id
    and paid.invoice_id = invoices.invoice_id
    and paid.currency = invoices.currency
cross join {{ ref('int_as_of') }} as moment
where invoices.marked_paid_amount = 0
    and coalesce(paid.amount, numeric '0') != invoices.amount_paid
    and coalesce(invoices.paid_at < moment.as_of, true)
