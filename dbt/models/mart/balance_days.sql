{{ config(
    partition_by={'field': 'day', 'data_type': 'date', 'granularity': 'month'},
    cluster_by=['client_id', 'currency']
) }}

-- What Stripe owes the client at both ends of every day, and what moved it, in the currency in which the account settles.
with movements as (
    select
        client_id,
        currency,
        day,
        case
            when reporting_category in ('charge', 'charge_failure') then 'charge'
            when reporting_category in ('refund', 'refund_failure', 'partial_capture_reversal') then 'refund'
            when reporting_category in ('dispute', 'dispute_reversal') then 'dispute'
            when reporting_category in ('payout', 'payout_reversal') then 'payout'
            when reporting_category = 'fee' then 'fee'
            else 'other'
        end as kind,
        amount,
        coalesce(fee, numeric '0') as fee
    from {{ ref('balance_transactions') }}
),

moved as (
    select
        client_id,
        currency,
        day,
        countif(kind = 'charge') as charge_count,
        sum(case when kind = 'charge' then amount else numeric '0' end) as charges,
        sum(case when kind = 'refund' then amount else numeric '0' end) as refunds,
        sum(case when kind = 'dispute' then amount else numeric '0' end) as disputes,
        sum(case when kind = 'payout' then amount else numeric '0' end) as payouts,
        sum(case when kind = 'other' then amount else numeric '0' end) as other,
        sum(case when kind = 'fee' then amount else numeric '0' end) - sum(fee) as fees,
        sum(amount) - sum(fee) as net
    from movements
    group by client_id, currency, day
),

days as (
    select spans.client_id, spans.currency, day
    from (select client_id, currency, min(day) as first_day from moved group by client_id, currency) as spans
    inner join {{ ref('int_clients') }} as clients on clients.client_id = spans.client_id
    cross join {{ ref('int_as_of') }} as moment
    cross join unnest(generate_date_array(
        spans.first_day, date(timestamp_sub(moment.as_of, interval 1 microsecond), clients.reporting_timezone)
    )) as day
)

select
    days.client_id,
    days.currency,
    days.day,
    cast(sum(coalesce(moved.net, numeric '0')) over (
        partition by days.client_id, days.currency order by days.day
    ) - coalesce(moved.net, numeric '0') as numeric) as opening_balance,
    coalesce(moved.charge_count, 0) as charge_count,
    cast(coalesce(moved.charges, numeric '0') as numeric) as charges,
    cast(coalesce(moved.refunds, numeric '0') as numeric) as refunds,
    cast(coalesce(moved.disputes, numeric '0') as numeric) as disputes,
    cast(coalesce(moved.fees, numeric '0') as numeric) as fees,
    cast(coalesce(moved.payouts, numeric '0') as numeric) as payouts,
    cast(coalesce(moved.other, numeric '0') as numeric) as other_movements,
    cast(sum(coalesce(moved.net, numeric '0')) over (
        partition by days.client_id, days.currency order by days.day
    ) as numeric) as closing_balance
from days
left join moved
    on moved.client_id = days.client_id and moved.currency = days.currency and moved.day = days.day
