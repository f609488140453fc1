-- Every day's movements lead from its opening to its closing, which is the next day's opening; the last closing is all that ever
-- moved by Stripe's own net amounts.
with days as (
    select
        client_id,
        currency,
        day,
        opening_balance,
        opening_balance + charges + refunds + disputes + fees + payouts + other_movements as computed,
        closing_balance,
        lag(closing_balance) over (partition by client_id, currency order by day) as former,
        row_number() over (partition by client_id, currency order by day desc) as recency
    from {{ ref('balance_days') }}
),

totals as (
    select transactions.client_id, lower(transactions.currency) as currency, sum(transactions.net) as net
    from {{ ref('stg_stripe__balance_transactions') }} as transactions
    cross join {{ ref('int_as_of') }} as moment
    where not transactions.is_deleted and transactions.created_at < moment.as_of
    group by transactions.client_id, lower(transactions.currency)
)

select days.client_id, days.currency, days.day, days.opening_balance, days.computed, days.closing_balance, totals.net
from days
left join totals
    on totals.client_id = days.client_id and totals.currency = days.currency and days.recency = 1
where days.computed != days.closing_balance
    or days.opening_balance != coalesce(days.former, numeric '0')
    or (days.recency = 1 and coalesce(totals.net != days.closing_balance, true))
