-- Where lines, events and loads lead must be where the item is: the last state of every item in force is what Stripe shows.
-- Not for a past moment that is computed from later observations: then the item may have moved on.
select
    items.client_id,
    items.subscription_item_id,
    items.price_id,
    items.quantity,
    states.price_id as price_id_of_states,
    states.quantity as quantity_of_states
from {{ ref('stg_stripe__subscription_items') }} as items
inner join {{ ref('int_subscription_terms') }} as terms
    on terms.client_id = items.client_id and terms.subscription_id = items.subscription_id
left join {{ ref('int_subscription_item_states') }} as states
    on states.client_id = items.client_id
    and states.subscription_item_id = items.subscription_item_id
    and states.state_to is null
cross join {{ ref('int_as_of') }} as moment
where not items.is_deleted
    and terms.paid_until is null
    and items.quantity is not null
    and items.usage_type = 'licensed'
    and items.observed_at < moment.as_of
    and coalesce(states.price_id != items.price_id or states.quantity != items.quantity, true)
