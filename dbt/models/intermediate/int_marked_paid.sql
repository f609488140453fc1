-- Invoices that say they were paid and of which no payment is known: somebody marked them as paid outside of Stripe. Before API version
-- 2025-03-31 their `amount_paid` is zero, since then it is what was marked.
with known as (
    select client_id, invoice_id
    from {{ ref('int_charges') }}
    where status = 'succeeded' and invoice_id is not null
    union distinct
    select client_id, invoice_id
    from {{ ref('stg_stripe__invoice_payments') }}
    where status = 'paid' and not is_deleted
)

select
    invoices.client_id,
    invoices.invoice_id,
    invoices.customer_id,
    lower(invoices.currency) as currency,
    cast(greatest(invoices.amount_due, coalesce(invoices.amount_paid, numeric '0')) as numeric) as amount
from {{ ref('stg_stripe__invoices') }} as invoices
cross join {{ ref('int_as_of') }} as moment
left join known on known.client_id = invoices.client_id and known.invoice_id = invoices.invoice_id
where invoices.status = 'paid'
    and not invoices.is_deleted
    and invoices.amount_due > 0
    and known.invoice_id is null
    and coalesce(invoices.paid_at, invoices.finalized_at, invoices.created_at) < moment.as_of
