{{ config(
    partition_by={'field': 'active_month', 'data_type': 'date', 'granularity': 'month'},
    cluster_by=['client_id']
) }}

-- Calendar months (UTC) that a subscription was in force beyond its trial, up to the moment of the run.
with terms as (
    select
        subscriptions.client_id,
        subscriptions.subscription_id,
        subscriptions.customer_id,
        lower(subscriptions.currency) as currency,
        greatest(
            coalesce(subscriptions.started_at, subscriptions.created_at),
            coalesce(subscriptions.trial_ends_at, subscriptions.started_at, subscriptions.created_at)
        ) as paid_from,
        least(coalesce(subscriptions.ended_at, moment.as_of), moment.as_of) as paid_until
    from {{ ref('stg_stripe__subscriptions') }} as subscriptions
    cross join {{ ref('int_as_of') }} as moment
    where not subscriptions.is_deleted
        and subscriptions.status not in ('incomplete', 'incomplete_expired')
),

-- the end is exclusive: a term that ends at midnight of the first of a month has no day in that month
spans as (
    select
        client_id,
        subscription_id,
        customer_id,
        currency,
        date_trunc(date(paid_from), month) as first_month,
        date_trunc(date(timestamp_sub(paid_until, interval 1 microsecond)), month) as last_month
    from terms
    where paid_until > paid_from
)

select
    client_id,
    subscription_id,
    customer_id,
    currency,
    active_month
from spans
cross join unnest(generate_date_array(first_month, last_month, interval 1 month)) as active_month
