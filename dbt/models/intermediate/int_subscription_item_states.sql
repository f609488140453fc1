-- Price and quantity of every licensed item over time. Three witnesses, the more exact ones first:
--   events  say what an item became, to the second, but Stripe lists them for 30 days only;
--   lines   say at what price and quantity a period, or with a proration the rest of one, was billed, for all time;
--   loads   say what an item was when it was observed. Of a change that was neither announced nor ever billed that is
--           all there is, so it counts from its first observation.
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
        lines.client_id,
        lines.subscription_item_id,
        lines.subscription_id,
        lines.period_start,
        lines.price_id,
        cast(round(lines.quantity) as int64),
        2,
        lines.invoice_line_id
    from {{ ref('stg_stripe__invoice_lines') }} as lines
    where lines.subscription_item_id is not null
        -- the credit of a proration names what the item was, its charge what it became
        and not (coalesce(lines.is_proration, false) and lines.amount <= 0)
    union all
    select
        versions.client_id,
        versions.subscription_item_id,
        versions.subscription_id,
        versions.valid_from,
        versions.price_id,
        versions.quantity,
        3,
        ''
    from {{ ref('stg_stripe__subscription_item_versions') }} as versions
    where not versions.is_deleted
),

-- one word per moment, the best witness's; at the same second the later line of an invoice stands for the later change
decided as (
    select
        changes.client_id,
        changes.subscription_id,
        changes.subscription_item_id,
        changes.changed_at,
        changes.price_id,
        changes.quantity,
        prices.currency,
        row_number() over (
            partition by changes.client_id, changes.subscription_item_id, changes.changed_at
            order by changes.witness, changes.witness_id desc
        ) as preference
    from changes
    inner join {{ ref('stg_stripe__prices') }} as prices
        on prices.client_id = changes.client_id and prices.price_id = changes.price_id
    cross join {{ ref('int_as_of') }} as moment
    where changes.quantity is not null
        and coalesce(prices.usage_type, 'licensed') = 'licensed'
        and prices.recurring_interval is not null
        and changes.changed_at < moment.as_of
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
)

select
    client_id,
    subscription_id,
    subscription_item_id,
    price_id,
    quantity,
    changed_at as state_from,
    lead(changed_at) over (partition by client_id, subscription_item_id order by changed_at) as state_to
from compared
where former_price_id is null or former_price_id != price_id or former_quantity != quantity
