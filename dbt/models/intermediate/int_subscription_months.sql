{{ config(
    partition_by={'field': 'active_month', 'data_type': 'date', 'granularity': 'month'},
    cluster_by=['client_id']
) }}

-- Calendar months (UTC) that a subscription was in force beyond its trial, up to the moment of the run.
with terms as (
    select
        terms.client_id,
        terms.subscription_id,
        terms.customer_id,
        terms.currency,
        terms.paid_from,
        least(coalesce(terms.paid_until, moment.as_of), moment.as_of) as paid_until
    from {{ ref('int_subscription_terms') }} as terms
    cross join {{ ref('int_as_of') }} as moment
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

select distinct
    client_id,
    subscription_id,
    customer_id,
    currency,
    active_month
from spans
cross join unnest(generate_date_array(first_month, last_month, interval 1 month)) as active_month
