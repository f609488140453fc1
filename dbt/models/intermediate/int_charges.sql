{{ config(
    partition_by={'field': 'created_at', 'data_type': 'timestamp', 'granularity': 'month'},
    cluster_by=['client_id', 'charge_id']
) }}

-- Charges with the invoice that they pay and what Stripe's balance made of them. Since 2025-03-31 only the invoice's
-- payments know which charge is theirs: by the payment intent or, for payments without one, by the charge.
with by_intent as (
    select client_id, payment_intent_id, min(invoice_id) as invoice_id
    from {{ ref('stg_stripe__invoice_payments') }}
    where payment_intent_id is not null and not is_deleted
    group by client_id, payment_intent_id
),

by_charge as (
    select client_id, charge_id, min(invoice_id) as invoice_id
    from {{ ref('stg_stripe__invoice_payments') }}
    where charge_id is not null and not is_deleted
    group by client_id, charge_id
),

-- of a charge that was captured in part Stripe first settled all of it, then took the rest back
reversed as (
    select
        refunds.client_id,
        refunds.charge_id,
        sum(transactions.amount) as amount,
        sum(transactions.fee) as fee
    from {{ ref('stg_stripe__refunds') }} as refunds
    inner join {{ ref('stg_stripe__balance_transactions') }} as transactions
        on transactions.client_id = refunds.client_id
        and transactions.balance_transaction_id = refunds.balance_transaction_id
    where transactions.reporting_category = 'partial_capture_reversal'
    group by refunds.client_id, refunds.charge_id
)

select
    charges.client_id,
    charges.charge_id,
    charges.created_at,
    charges.customer_id,
    coalesce(by_charge.invoice_id, by_intent.invoice_id, charges.invoice_id) as invoice_id,
    charges.status,
    lower(charges.currency) as currency,
    case when charges.status = 'succeeded' then coalesce(charges.amount_captured, charges.amount) else numeric '0' end
        as amount,
    charges.amount as amount_requested,
    charges.failure_code,
    charges.payment_method_type,
    charges.card_brand,
    charges.card_country,
    lower(transactions.currency) as settlement_currency,
    cast(transactions.amount + coalesce(reversed.amount, numeric '0') as numeric) as settled_amount,
    cast(transactions.fee + coalesce(reversed.fee, numeric '0') as numeric) as fee,
    cast(
        transactions.net + coalesce(reversed.amount, numeric '0') - coalesce(reversed.fee, numeric '0') as numeric
    ) as settled_net,
    cast(transactions.exchange_rate as numeric) as exchange_rate
from {{ ref('stg_stripe__charges') }} as charges
cross join {{ ref('int_as_of') }} as moment
left join by_charge
    on by_charge.client_id = charges.client_id and by_charge.charge_id = charges.charge_id
left join by_intent
    on by_intent.client_id = charges.client_id and by_intent.payment_intent_id = charges.payment_intent_id
left join {{ ref('stg_stripe__balance_transactions') }} as transactions
    on transactions.client_id = charges.client_id
    and transactions.balance_transaction_id = charges.balance_transaction_id
left join reversed
    on reversed.client_id = charges.client_id and reversed.charge_id = charges.charge_id
where not charges.is_deleted and charges.created_at < moment.as_of
