{{ config(cluster_by=['client_id', 'subscription_id']) }}

select
    versions.client_id,
    versions.subscription_id,
    versions.valid_from,
    versions.valid_to,
    versions.valid_to is null as is_current,
    versions.customer_id,
    versions.currency,
    versions.status,
    lag(versions.status) over (
        partition by versions.client_id, versions.subscription_id order by versions.valid_from
    ) as former_status,
    versions.trial_ends_at,
    versions.cancel_at_period_end,
    versions.cancels_at,
    versions.canceled_at,
    versions.ended_at,
    versions.paused_at,
    versions.is_deleted
from {{ ref('stg_stripe__subscription_versions') }} as versions
