-- What was paid on invoices without any payment being recorded: somebody marked them as paid outside of Stripe. Before API version
-- 2025-03-31 their `amount_paid` is zero, since then it is what was marked. Of an invoice that was paid in part and marked for the rest,
-- `amount_paid_off_stripe` has what came past Stripe, and payments that another processor recorded are among that.
with payments as (
    select client_id, invoice_id, numeric '0' as outside_amount
    from {{ ref('int_charges') }}
    where status = 'succeeded' and invoice_id is not null
    union all
    select
        client_id,
        invoice_id,
        case when payment_record_id is not null then coalesce(amount_paid, numeric '0') else numeric '0' end
    from {{ ref('stg_stripe__invoice_payments') }}
    where status = 'paid' and not is_deleted
),

known as (
    select client_id, invoice_id, sum(outside_amount) as outside_amount
    from payments
    group by client_id, invoice_id
),

marked as (
    select
        invoices.client_id,
        invoices.invoice_id,
        invoices.customer_id,
        lower(invoices.currency) as currency,
        case
            when known.invoice_id is null then greatest(invoices.amount_due, coalesce(invoices.amount_paid, numeric '0'))
            else coalesce(invoices.amount_paid_off_stripe, numeric '0') - known.outside_amount
        end as amount
    from {{ ref('stg_stripe__invoices') }} as invoices
    cross join {{ ref('int_as_of') }} as moment
    left join known on known.client_id = invoices.client_id and known.invoice_id = invoices.invoice_id
    where invoices.status = 'paid'
        and not invoices.is_deleted
        and invoices.amount_due > 0
        and coalesce(invoices.paid_at, invoices.finalized_at, invoices.created_at) < moment.as_of
)

select client_id, invoice_id, customer_id, currency, cast(amount as numeric) as amount
from marked
where amount > 0
