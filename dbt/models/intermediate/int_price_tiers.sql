-- The tiers of tiered prices, each with the quantities it is for: more than `above`, up to `up_to`.
with tiers as (
    select
        prices.client_id,
        prices.price_id,
        lower(prices.currency) as currency,
        prices.tiers_mode,
        tier_position as position,
        safe_cast(json_value(tier, '$.up_to') as numeric) as up_to,
        coalesce(
            safe_cast(json_value(tier, '$.unit_amount_decimal') as numeric),
            safe_cast(json_value(tier, '$.unit_amount') as numeric),
            numeric '0'
        ) as unit_amount,
        coalesce(
            safe_cast(json_value(tier, '$.flat_amount_decimal') as numeric),
            safe_cast(json_value(tier, '$.flat_amount') as numeric),
            numeric '0'
        ) as flat_amount
    from {{ ref('stg_stripe__prices') }} as prices
    cross join unnest(json_query_array(prices.tiers)) as tier with offset as tier_position
)

select
    tiers.client_id,
    tiers.price_id,
    tiers.tiers_mode,
    tiers.position,
    coalesce(
        lag(tiers.up_to) over (partition by tiers.client_id, tiers.price_id order by tiers.position),
        numeric '0'
    ) as above,
    tiers.up_to,
    {{ major_units('tiers.unit_amount') }} as unit_amount,
    {{ major_units('tiers.flat_amount') }} as flat_amount
from tiers
left join {{ ref('currencies') }} as currencies on currencies.currency = tiers.currency
