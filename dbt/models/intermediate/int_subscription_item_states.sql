-- What was agreed on: price and quantity of every item over time, as events and loads saw them. Events are exact, but Stripe
-- lists them for 30 days only; loads say what an item was when it was observed. A state lasts until the next one, or until
-- the item was taken off its subscription.
with changes as (
    select
        events.client_id,
        events.subscription_item_id,
        events.subscription_id,
        events.created_at as changed_at,
        events.price_id,
        events.quantity,
        1 as witness,
        events.event_id as witness_id
    from {{ ref('int_subscription_item_events') }} as events
    union all
    select
        versions.client_id,
        versions.subscription_item_id,
        versions.subscription_id,
        versions.valid_from,
        versions.price_id,
        versions.quantity,
        2,
        ''
    from {{ ref('stg_stripe__subscription_item_versions') }} as versions
    where not versions.is_deleted
),

-- one word per moment, the better witness's
decided as (
    select
        changes.client_id,
        changes.subscription_id,
        changes.subscription_item_id,
        changes.changed_at,
        changes.price_id,
        changes.quantity,
        row_number() over (
            partition by changes.client_id, changes.subscription_item_id, changes.changed_at
            order by changes.witness, changes.witness_id desc
        ) as preference
    from changes
    cross join {{ ref('int_as_of') }} as moment
    where changes.changed_at < moment.as_of
),

compared as (
    select
        client_id,
        subscription_id,
        subscription_item_id,
        changed_at,
        price_id,
        quantity,
        lag(price_id) over (partition by client_id, subscription_item_id order by changed_at) as former_price_id,
        lag(quantity) over (partition by client_id, subscription_item_id order by changed_at) as former_quantity
    from decided
    where preference = 1
),

states as (
    select
        client_id,
        subscription_id,
        subscription_item_id,
        price_id,
        quantity,
        changed_at as state_from,
        lead(changed_at) over (partition by client_id, subscription_item_id order by changed_at) as state_to,
        former_price_id is not null as is_change
    from compared
    where former_price_id is null
        or former_price_id != price_id
        or coalesce(former_quantity, -1) != coalesce(quantity, -1)
)

select
    states.client_id,
    states.subscription_id,
    states.subscription_item_id,
    states.price_id,
    states.quantity,
    states.state_from,
    coalesce(least(states.state_to, ends.ended_at), states.state_to, ends.ended_at) as state_to,
    states.is_change
from states
left join {{ ref('int_subscription_item_ends') }} as ends
    on ends.client_id = states.client_id and ends.subscription_item_id = states.subscription_item_id
where coalesce(states.state_from < ends.ended_at, true)
