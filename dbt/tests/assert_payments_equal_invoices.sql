-- The payments of an invoice come to what the invoice says was paid: no charge is missing, doubled or with the wrong invoice. Those that
-- were marked as paid have none; assert_paid_invoices_have_payments shows them. What was paid too much is on the customer's balance. An
-- intent that paid several invoices is one charge, which is with the first of them.
with paid as (
    select client_id, invoice_id, currency, sum(amount) as amount
    from {{ ref('payments') }}
    where status = 'succeeded' and invoice_id is not null
    group by client_id, invoice_id, currency
),

shared as (
    select client_id, payment_intent_id
    from {{ ref('stg_stripe__invoice_payments') }}
    where payment_intent_id is not null and status = 'paid' and not is_deleted
    group by client_id, payment_intent_id
    having count(distinct invoice_id) > 1
),

paid_together as (
    select distinct payments.client_id, payments.invoice_id
    from {{ ref('stg_stripe__invoice_payments') }} as payments
    inner join shared
        on shared.client_id = payments.client_id and shared.payment_intent_id = payments.payment_intent_id
)

select
    invoices.client_id,
    invoices.invoice_id,
    invoices.currency,
    invoices.amount_paid,
    invoices.marked_paid_amount,
    paid.amount as amount_of_payments
from {{ ref('invoices') }} as invoices
inner join {{ ref('stg_stripe__invoices') }} as documents
    on documents.client_id = invoices.client_id and documents.invoice_id = invoices.invoice_id
left join paid
    on paid.client_id = invoices.client_id
    and paid.invoice_id = invoices.invoice_id
    and paid.currency = invoices.currency
left join paid_together
    on paid_together.client_id = invoices.client_id and paid_together.invoice_id = invoices.invoice_id
cross join {{ ref('int_as_of') }} as moment
where (invoices.marked_paid_amount = 0 or paid.invoice_id is not null)
    and coalesce(paid.amount, numeric '0') + invoices.marked_paid_amount
    not in (invoices.amount_paid, invoices.amount_paid + coalesce(documents.amount_overpaid, numeric '0'))
    and paid_together.invoice_id is null
    and coalesce(invoices.paid_at < moment.as_of, true)
