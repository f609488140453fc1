with versions as (
    select
        client_id, id, _valid_from, cast(null as timestamp) as _valid_to, status, customer_id, currency, trial_end,
        cancel_at_period_end, cancel_at, canceled_at, ended_at, paused_at, _deleted_at
    from {{ source('stripe', 'stripe_subscriptions') }}
    where {{ was_known('_valid_from') }}
    union all
    select
        client_id, id, _valid_from, {{ if_known('_valid_to') }}, status, customer_id, currency, trial_end,
        cancel_at_period_end, cancel_at, canceled_at, ended_at, paused_at, _deleted_at
    from {{ source('history', 'stripe_subscriptions') }}
    where {{ was_known('_valid_from') }}
)

select
    versions.client_id,
    versions.id as subscription_id,
    versions._valid_from as valid_from,
    versions._valid_to as valid_to,
    versions.customer_id,
    lower(versions.currency) as currency,
    versions.status,
    versions.trial_end as trial_ends_at,
    versions.cancel_at_period_end,
    versions.cancel_at as cancels_at,
    versions.canceled_at,
    versions.ended_at,
    versions.paused_at,
    versions._deleted_at is not null as is_deleted
from versions
