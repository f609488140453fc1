-- From when until when each subscription is paid for: after its trial, until it ended. Those whose first payment never came
-- were never in force.
select
    subscriptions.client_id,
    subscriptions.subscription_id,
    subscriptions.customer_id,
    lower(subscriptions.currency) as currency,
    greatest(
        coalesce(subscriptions.started_at, subscriptions.created_at),
        coalesce(subscriptions.trial_ends_at, subscriptions.started_at, subscriptions.created_at)
    ) as paid_from,
    case when subscriptions.ended_at < moment.as_of then subscriptions.ended_at end as paid_until
from {{ ref('stg_stripe__subscriptions') }} as subscriptions
cross join {{ ref('int_as_of') }} as moment
where not subscriptions.is_deleted
    and subscriptions.status not in ('incomplete', 'incomplete_expired')
    and subscriptions.created_at < moment.as_of
