with versions as (
    select
        client_id, subscription_id, id, _valid_from, cast(null as timestamp) as _valid_to, price_id, product_id,
        quantity, usage_type, _deleted_at
    from {{ source('stripe', 'stripe_subscription_items') }}
    where {{ was_known('_valid_from') }}
    union all
    select
        client_id, subscription_id, id, _valid_from, {{ if_known('_valid_to') }}, price_id, product_id,
        quantity, usage_type, _deleted_at
    from {{ source('history', 'stripe_subscription_items') }}
    where {{ was_known('_valid_from') }}
)

select
    versions.client_id,
    versions.subscription_id,
    versions.id as subscription_item_id,
    versions._valid_from as valid_from,
    versions._valid_to as valid_to,
    versions.price_id,
    versions.product_id,
    versions.quantity,
    versions.usage_type,
    versions._deleted_at is not null as is_deleted
from versions
