-- Every discount that is or was granted, with its terms and the time in which it lowers bills. Those of the past are known from
-- the invoices that they lowered; one that has no end and is on the subscription no more ended with the last period that it
-- lowered. The terms of a coupon that was deleted before the first load are unknown, what it takes off stands on the bills.
with granted as (
    select client_id, subscription_id, subscription_item_id, customer_id, discount_id, coupon_id, started_at, ends_at,
        true as is_in_force, cast(null as string) as invoice_id
    from {{ ref('stg_stripe__subscription_discounts') }}
    where not is_deleted
    union all
    select client_id, subscription_id, subscription_item_id, customer_id, discount_id, coupon_id, started_at, ends_at,
        false, invoice_id
    from {{ ref('stg_stripe__invoice_discounts') }}
    where not is_deleted
),

lowered as (
    select
        discounts.client_id,
        discounts.discount_id,
        max(lines.period_end) as lowered_until
    from {{ ref('stg_stripe__invoice_discounts') }} as discounts
    inner join {{ ref('stg_stripe__invoice_lines') }} as lines
        on lines.client_id = discounts.client_id and lines.invoice_id = discounts.invoice_id
    where lines.discount_amount > 0
    group by discounts.client_id, discounts.discount_id
),

discounts as (
    select
        client_id,
        discount_id,
        max(subscription_id) as subscription_id,
        max(subscription_item_id) as subscription_item_id,
        max(customer_id) as customer_id,
        max(coupon_id) as coupon_id,
        min(started_at) as started_at,
        max(ends_at) as ends_at,
        logical_or(is_in_force) as is_in_force,
        count(distinct invoice_id) as invoices
    from granted
    where discount_id is not null
    group by client_id, discount_id
)

select
    discounts.client_id,
    discounts.discount_id,
    discounts.subscription_id,
    discounts.subscription_item_id,
    discounts.customer_id,
    discounts.coupon_id,
    -- without terms: what has an end, is still in force or has lowered several bills is not for one bill
    case
        when coupons.coupon_id is not null then coupons.duration in ('forever', 'repeating')
        else discounts.ends_at is not null or discounts.is_in_force or discounts.invoices > 1
    end as is_lasting,
    coupons.coupon_id is not null as has_terms,
    coalesce(cast(coupons.percent_off as numeric), numeric '0') as percent_off,
    coalesce(coupons.amount_off, numeric '0') as amount_off,
    lower(coupons.currency) as currency,
    discounts.started_at,
    case
        when discounts.ends_at is not null then discounts.ends_at
        when not discounts.is_in_force then lowered.lowered_until
    end as ends_at
from discounts
left join {{ ref('stg_stripe__coupons') }} as coupons
    on coupons.client_id = discounts.client_id and coupons.coupon_id = discounts.coupon_id
left join lowered
    on lowered.client_id = discounts.client_id and lowered.discount_id = discounts.discount_id
