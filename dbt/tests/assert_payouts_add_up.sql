-- What the payouts sent and got back is what the balance says left it; and what is left available after the last one is all that had
-- become available less all that was sent.
with sent as (
    select client_id, currency, sum(returned_amount - amount) as payouts, max(created_at) as last_at
    from {{ ref('payouts') }}
    group by client_id, currency
),

moved as (
    select client_id, currency, sum(payouts) as payouts
    from {{ ref('balance_days') }}
    group by client_id, currency
),

available as (
    select transactions.client_id, transactions.currency, sum(transactions.net) as net
    from {{ ref('balance_transactions') }} as transactions
    inner join sent on sent.client_id = transactions.client_id and sent.currency = transactions.currency
    where case
            when transactions.reporting_category = 'payout' then transactions.created_at else transactions.available_at
        end <= sent.last_at
    group by transactions.client_id, transactions.currency
),

last_ones as (
    select
        client_id,
        currency,
        left_available,
        row_number() over (
            partition by client_id, currency order by created_at desc, balance_transaction_id desc
        ) as recency
    from {{ ref('payouts') }}
)

select moved.client_id, moved.currency, sent.payouts, moved.payouts as payouts_of_balance, last_ones.left_available, available.net
from moved
left join sent on sent.client_id = moved.client_id and sent.currency = moved.currency
left join available on available.client_id = moved.client_id and available.currency = moved.currency
left join last_ones
    on last_ones.client_id = moved.client_id and last_ones.currency = moved.currency and last_ones.recency = 1
where coalesce(sent.payouts, numeric '0') != moved.payouts
    or coalesce(last_ones.left_available, numeric '0') != coalesce(available.net, numeric '0')
