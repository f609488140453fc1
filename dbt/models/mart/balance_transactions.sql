{{ config(
    partition_by={'field': 'day', 'data_type': 'date', 'granularity': 'month'},
    cluster_by=['client_id', 'currency']
) }}

-- Every movement of the Stripe balance with what it was about: a charge itself, or the charge that a refund or dispute took back.
with causes as (
    select client_id, charge_id as source_id, charge_id
    from {{ ref('int_charges') }}
    union all
    select refunds.client_id, refunds.refund_id, coalesce(refunds.charge_id, intents.charge_id)
    from {{ ref('stg_stripe__refunds') }} as refunds
    left join {{ ref('int_intent_charges') }} as intents
        on intents.client_id = refunds.client_id and intents.payment_intent_id = refunds.payment_intent_id
    where not refunds.is_deleted
    union all
    select disputes.client_id, disputes.dispute_id, coalesce(disputes.charge_id, intents.charge_id)
    from {{ ref('stg_stripe__disputes') }} as disputes
    left join {{ ref('int_intent_charges') }} as intents
        on intents.client_id = disputes.client_id and intents.payment_intent_id = disputes.payment_intent_id
    where not disputes.is_deleted
),

-- by which a payment that was under way was taken back when it failed
failures as (
    select client_id, failure_balance_transaction_id as balance_transaction_id, min(charge_id) as charge_id
    from {{ ref('stg_stripe__charges') }}
    where failure_balance_transaction_id is not null and not is_deleted
    group by client_id, failure_balance_transaction_id
)

select
    transactions.client_id,
    transactions.balance_transaction_id,
    transactions.created_at,
    date(transactions.created_at, clients.reporting_timezone) as day,
    transactions.transaction_type,
    transactions.reporting_category,
    transactions.status,
    transactions.available_at,
    lower(transactions.currency) as currency,
    transactions.amount,
    transactions.fee,
    transactions.net,
    transactions.exchange_rate,
    transactions.description,
    transactions.source_id,
    charges.charge_id,
    charges.invoice_id,
    charges.customer_id,
    customers.person_key,
    charges.currency as customer_currency,
    charges.payment_method_type,
    charges.card_brand,
    charges.card_country
from {{ ref('stg_stripe__balance_transactions') }} as transactions
inner join {{ ref('int_clients') }} as clients on clients.client_id = transactions.client_id
cross join {{ ref('int_as_of') }} as moment
left join causes
    on causes.client_id = transactions.client_id and causes.source_id = transactions.source_id
left join failures
    on failures.client_id = transactions.client_id
    and failures.balance_transaction_id = transactions.balance_transaction_id
left join {{ ref('int_charges') }} as charges
    on charges.client_id = transactions.client_id
    and charges.charge_id = coalesce(causes.charge_id, failures.charge_id)
left join {{ ref('int_customer_persons') }} as customers
    on customers.client_id = charges.client_id and customers.customer_id = charges.customer_id
where not transactions.is_deleted and transactions.created_at < moment.as_of
