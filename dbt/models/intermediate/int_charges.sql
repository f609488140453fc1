{{ config(
    partition_by={'field': 'created_at', 'data_type': 'timestamp', 'granularity': 'month'},
    cluster_by=['client_id', 'charge_id']
) }}

-- Charges with the invoice that they pay and what Stripe's balance made of them. Since 2025-03-31 only the invoice's
-- payments know which charge is theirs: by the payment intent or, for payments without one, by the charge. An invoice that it paid
-- comes before one that it was once meant for.
with by_intent as (
    select
        client_id,
        payment_intent_id,
        min_by(invoice_id, concat(case when status = 'paid' then '0' else '1' end, invoice_id)) as invoice_id
    from {{ ref('stg_stripe__invoice_payments') }}
    where payment_intent_id is not null and not is_deleted
    group by client_id, payment_intent_id
),

by_charge as (
    select
        client_id,
        charge_id,
        min_by(invoice_id, concat(case when status = 'paid' then '0' else '1' end, invoice_id)) as invoice_id
    from {{ ref('stg_stripe__invoice_payments') }}
    where charge_id is not null and not is_deleted
    group by client_id, charge_id
),

-- of a charge that was captured in part Stripe first settled all of it, then took the rest back; of a direct debit that failed it takes
-- back all that it had settled
taken_back as (
    select client_id, charge_id, balance_transaction_id
    from {{ ref('stg_stripe__refunds') }}
    where charge_id is not null and balance_transaction_id is not null
    union distinct
    select client_id, charge_id, failure_balance_transaction_id
    from {{ ref('stg_stripe__charges') }}
    where failure_balance_transaction_id is not null
),

reversed as (
    select
        taken_back.client_id,
        taken_back.charge_id,
        sum(transactions.amount) as amount,
        sum(transactions.fee) as fee
    from taken_back
    inner join {{ ref('stg_stripe__balance_transactions') }} as transactions
        on transactions.client_id = taken_back.client_id
        and transactions.balance_transaction_id = taken_back.balance_transaction_id
    where transactions.reporting_category in ('partial_capture_reversal', 'charge_failure')
    group by taken_back.client_id, taken_back.charge_id
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
