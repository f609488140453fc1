-- From when until when each subscription is paid for: until it ended, but for its trial. A trial that begins later than the
-- subscription was given to somebody who had paid before, so there is a stretch on either side of it.
with stretches as (
    select
        client_id,
        subscription_id,
        customer_id,
        currency,
        started_at as paid_from,
        least(trial_started_at, coalesce(ended_at, trial_started_at)) as paid_until
    from {{ ref('int_subscriptions') }}
    where has_begun and trial_started_at >= timestamp_add(started_at, interval 1 day)
    union all
    select
        client_id,
        subscription_id,
        customer_id,
        currency,
        greatest(started_at, coalesce(trial_ends_at, started_at)) as paid_from,
        ended_at as paid_until
    from {{ ref('int_subscriptions') }}
    where has_begun
)

select client_id, subscription_id, customer_id, currency, paid_from, paid_until
from stretches
where coalesce(paid_until > paid_from, true)
