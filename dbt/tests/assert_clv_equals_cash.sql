-- The mart neither loses nor doubles cash: per client and currency its net cash is what the documents say came in and went back.
-- Money of nobody, a charge without customer, is in no person's value. What was never recorded as paid, since an invoice was merely marked,
-- can't be given back either.
with paid as (
    select distinct client_id, invoice_id
    from {{ ref('payments') }}
    where status = 'succeeded' and invoice_id is not null and person_key is not null
),

moved as (
    select client_id, lower(currency) as currency, created_at as moved_at, coalesce(amount_captured, amount) as amount
    from {{ ref('stg_stripe__charges') }}
    where not is_deleted and status = 'succeeded' and customer_id is not null
    union all
    select payments.client_id, lower(payments.currency), payments.paid_at, payments.amount_paid
    from {{ ref('stg_stripe__invoice_payments') }} as payments
    left join {{ ref('stg_stripe__invoices') }} as invoices
        on invoices.client_id = payments.client_id and invoices.invoice_id = payments.invoice_id
    where not payments.is_deleted
        and payments.status = 'paid'
        and payments.payment_record_id is not null
        and invoices.customer_id is not null
    union all
    select refunds.client_id, refunds.currency, refunds.created_at, -refunds.amount
    from {{ ref('int_refunds') }} as refunds
    inner join {{ ref('stg_stripe__charges') }} as charges
        on charges.client_id = refunds.client_id and charges.charge_id = refunds.charge_id
    where charges.customer_id is not null
    union all
    select disputes.client_id, disputes.currency, disputes.created_at, -disputes.amount
    from {{ ref('int_lost_disputes') }} as disputes
    inner join {{ ref('stg_stripe__charges') }} as charges
        on charges.client_id = disputes.client_id and charges.charge_id = disputes.charge_id
    where charges.customer_id is not null
    union all
    select
        credit_notes.client_id,
        lower(credit_notes.currency),
        credit_notes.created_at,
        -(coalesce(credit_notes.out_of_band_amount, numeric '0') + credit_notes.outside_refunded_amount)
    from {{ ref('stg_stripe__credit_notes') }} as credit_notes
    inner join paid
        on paid.client_id = credit_notes.client_id and paid.invoice_id = credit_notes.invoice_id
    where not credit_notes.is_deleted and coalesce(credit_notes.status, 'issued') != 'void'
),

ledger as (
    select moved.client_id, moved.currency, sum(moved.amount) as cash
    from moved
    cross join {{ ref('int_as_of') }} as moment
    where moved.moved_at < moment.as_of
    group by moved.client_id, moved.currency
),

mart as (
    select client_id, currency, sum(net_cash_collected) as cash
    from {{ ref('customer_lifetime_value') }}
    group by client_id, currency
)

select
    coalesce(mart.client_id, ledger.client_id) as client_id,
    coalesce(mart.currency, ledger.currency) as currency,
    mart.cash as cash_in_mart,
    ledger.cash as cash_in_documents
from mart
full join ledger on ledger.client_id = mart.client_id and ledger.currency = mart.currency
where coalesce(mart.cash, numeric '0') != coalesce(ledger.cash, numeric '0')
