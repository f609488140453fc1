-- Subscriptions in force, each with the plan it is on. Past due is still in force: the customer has the service while
-- the payment is retried. Of several items the one that most is paid for names the plan; metered ones are extras to it.
with active as (
    select client_id, subscription_id, customer_id, currency, status, started_at
    from {{ ref('int_subscriptions') }}
    where is_serving
),

main_items as (
    select
        client_id,
        subscription_id,
        price_id,
        product_id,
        row_number() over (
            partition by client_id, subscription_id
            order by
                coalesce(usage_type, 'licensed') = 'metered' asc,
                coalesce(unit_amount * quantity, unit_amount, numeric '0') desc,
                subscription_item_id asc
        ) as position
    from {{ ref('stg_stripe__subscription_items') }}
    where not is_deleted
)

select
    active.client_id,
    active.subscription_id,
    active.customer_id,
    active.currency,
    active.status,
    active.started_at,
    coalesce(products.product_name, prices.nickname, main_items.price_id) as plan
from active
left join main_items
    on main_items.client_id = active.client_id
    and main_items.subscription_id = active.subscription_id
    and main_items.position = 1
left join {{ ref('stg_stripe__prices') }} as prices
    on prices.client_id = active.client_id and prices.price_id = main_items.price_id
left join {{ ref('stg_stripe__products') }} as products
    on products.client_id = active.client_id
    and products.product_id = coalesce(main_items.product_id, prices.product_id)
