{{ config(cluster_by=['client_id', 'subscription_id']) }}

with latest as (
    select client_id, max(month) as month
    from {{ ref('int_months') }}
    group by client_id
),

recurring as (
    select monthly.client_id, monthly.subscription_id, coalesce(sum(monthly.mrr), numeric '0') as mrr
    from {{ ref('mrr') }} as monthly
    inner join latest on latest.client_id = monthly.client_id and latest.month = monthly.month
    group by monthly.client_id, monthly.subscription_id
)

select
    subscriptions.client_id,
    subscriptions.subscription_id,
    subscriptions.customer_id,
    customers.person_key,
    subscriptions.status,
    lower(subscriptions.currency) as currency,
    active.plan,
    subscriptions.created_at,
    subscriptions.started_at,
    subscriptions.trial_ends_at,
    subscriptions.cancel_at_period_end,
    subscriptions.cancels_at,
    subscriptions.canceled_at,
    subscriptions.ended_at,
    subscriptions.cancellation_reason,
    subscriptions.cancellation_feedback,
    subscriptions.collection_method,
    states.is_serving as is_in_force,
    states.is_at_risk,
    states.is_collection_paused,
    subscriptions.pause_resumes_at,
    coalesce(cast(recurring.mrr as numeric), numeric '0') as mrr,
    subscriptions.is_test_mode
from {{ ref('stg_stripe__subscriptions') }} as subscriptions
inner join {{ ref('int_subscriptions') }} as states
    on states.client_id = subscriptions.client_id and states.subscription_id = subscriptions.subscription_id
left join {{ ref('int_active_subscriptions') }} as active
    on active.client_id = subscriptions.client_id and active.subscription_id = subscriptions.subscription_id
left join {{ ref('int_customer_persons') }} as customers
    on customers.client_id = subscriptions.client_id and customers.customer_id = subscriptions.customer_id
left join recurring
    on recurring.client_id = subscriptions.client_id and recurring.subscription_id = subscriptions.subscription_id
