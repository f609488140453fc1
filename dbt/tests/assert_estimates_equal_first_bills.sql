{{ config(severity='warn') }}
-- What price, quantity and coupons said of an item before it was billed must be what its first bill at that price and quantity
-- came to. Where it isn't, an estimate of the same kind is wrong too: a coupon for some products, a price in several currencies.
with compared as (
    select
        recurring.client_id,
        recurring.subscription_item_id,
        recurring.month,
        recurring.currency,
        recurring.price_id,
        recurring.quantity,
        recurring.basis,
        recurring.mrr as billed_mrr,
        recurring.estimated_mrr,
        lag(recurring.price_id) over (
            partition by recurring.client_id, recurring.subscription_item_id order by recurring.month
        ) as former_price_id,
        lag(recurring.quantity) over (
            partition by recurring.client_id, recurring.subscription_item_id order by recurring.month
        ) as former_quantity
    from {{ ref('mrr') }} as recurring
)

select
    compared.client_id, compared.subscription_item_id, compared.month, compared.price_id, compared.quantity,
    compared.billed_mrr, compared.estimated_mrr
from compared
left join {{ ref('currencies') }} as currencies on currencies.currency = compared.currency
where compared.basis = 'billed'
    -- halves are rounded once here and once there
    and abs(compared.billed_mrr - compared.estimated_mrr) > {{ major_per_minor() }}
    and (
        compared.former_price_id is null
        or compared.former_price_id != compared.price_id
        or compared.former_quantity != compared.quantity
    )
