-- Items that were taken off their subscription, and when: at the first event about the subscription that doesn't list them any
-- more, or when a load found them gone. Later signs of life outweigh an event: it may be older than the item.
with lives as (
    select client_id, subscription_item_id, subscription_id, created_at as seen_at
    from {{ ref('int_subscription_item_events') }}
    union all
    select client_id, subscription_item_id, subscription_id, valid_from
    from {{ ref('stg_stripe__subscription_item_versions') }}
    where not is_deleted
    union all
    select client_id, subscription_item_id, subscription_id, last_billed_at
    from {{ ref('int_subscription_item_bills') }}
    where not is_unbilled
),

last_lives as (
    select lives.client_id, lives.subscription_item_id, lives.subscription_id, max(lives.seen_at) as seen_at
    from lives
    cross join {{ ref('int_as_of') }} as moment
    where lives.seen_at < moment.as_of
    group by lives.client_id, lives.subscription_item_id, lives.subscription_id
),

announced as (
    select lives.client_id, lives.subscription_item_id, min(events.created_at) as ended_at
    from last_lives as lives
    inner join (
        select distinct client_id, subscription_id, created_at
        from {{ ref('int_subscription_item_events') }}
        where is_complete
    ) as events
        on events.client_id = lives.client_id
        and events.subscription_id = lives.subscription_id
        and events.created_at > lives.seen_at
    group by lives.client_id, lives.subscription_item_id
),

missed as (
    select client_id, subscription_item_id, max(case when is_deleted then valid_from else valid_to end) as ended_at
    from {{ ref('stg_stripe__subscription_item_versions') }}
    group by client_id, subscription_item_id
    having countif(valid_to is null and not is_deleted) = 0
),

ended as (
    select client_id, subscription_item_id, ended_at from announced
    union all
    select client_id, subscription_item_id, ended_at from missed
)

select ended.client_id, ended.subscription_item_id, min(ended.ended_at) as ended_at
from ended
cross join {{ ref('int_as_of') }} as moment
where ended.ended_at < moment.as_of
group by ended.client_id, ended.subscription_item_id
