-- The mart neither loses nor doubles cash: per client and currency its net cash is what the documents say came in and went back.
-- Money of nobody, a charge without customer, is in no person's value.
with moved as (
    select client_id, lower(currency) as currency, created_at as moved_at, coalesce(amount_captured, amount) as amount
    from {{ ref('stg_stripe__charges') }}
    where not is_deleted and status = 'succeeded' and customer_id is not null
    union all
    select client_id, lower(currency), paid_at, amount_paid
    from {{ ref('stg_stripe__invoice_payments') }}
    where not is_deleted and status = 'paid' and payment_record_id is not null
    union all
    select refunds.client_id, refunds.currency, refunds.created_at, -refunds.amount
    from {{ ref('int_refunds') }} as refunds
    inner join {{ ref('stg_stripe__charges') }} as charges
        on charges.client_id = refunds.client_id and charges.charge_id = refunds.charge_id
    where charges.customer_id is not null
    union all
    select disputes.client_id, lower(disputes.currency), disputes.created_at, -disputes.amount
    from {{ ref('stg_stripe__disputes') }} as disputes
    inner join {{ ref('stg_stripe__charges') }} as charges
        on charges.client_id = disputes.client_id and charges.charge_id = disputes.charge_id
    where not disputes.is_deleted and disputes.status = 'lost' and charges.customer_id is not null
    union all
    select client_id, lower(currency), created_at, -out_of_band_amount
    from {{ ref('stg_stripe__credit_notes') }}
    where not is_deleted and status != 'void' and out_of_band_amount is not null
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
