{{ config(
    materialized='incremental',
    incremental_strategy='insert_overwrite',
    partition_by={'field': 'record_date', 'data_type': 'date', 'granularity': 'month'},
    partitions=touched_partitions(['stripe_events']),
    full_refresh=whole_unless_touched(),
    on_schema_change='fail',
    cluster_by=['client_id', 'subscription_item_id']
) }}

-- The objects inside of events are the widest column of the whole warehouse: they are read once.
select
    events.client_id,
    events.event_id,
    json_value(item, '$.id') as subscription_item_id,
    events.record_date,
    events.object_id as subscription_id,
    events.created_at,
    coalesce(json_value(item, '$.price.id'), json_value(item, '$.plan.id')) as price_id,
    cast(json_value(item, '$.quantity') as int64) as quantity,
    -- an event lists the first items only
    coalesce(json_value(events.object_snapshot, '$.items.has_more'), 'false') != 'true' as is_complete
from {{ ref('stg_stripe__events') }} as events
cross join unnest(json_query_array(events.object_snapshot, '$.items.data')) as item
where events.event_type in ('customer.subscription.created', 'customer.subscription.updated')
    and {{ in_touched('events.record_date', ['stripe_events']) }}
