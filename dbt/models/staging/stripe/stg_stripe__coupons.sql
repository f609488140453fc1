select
    records.client_id,
    records.id as coupon_id,
    records.created as created_at,
    records.name as coupon_name,
    records.percent_off,
    {{ major_units('records.amount_off') }} as amount_off,
    records.currency,
    records.duration,
    records.duration_in_months,
    records.redeem_by as redeemable_until,
    records.max_redemptions,
    records.times_redeemed,
    records.valid as is_valid,
    coalesce(not records.livemode, false) as is_test_mode,
    records.metadata,
    records._deleted_at is not null as is_deleted,
    records._deleted_at as deleted_at,
    records._observed_at as observed_at
from {{ as_known('stripe', 'stripe_coupons') }} as records
left join {{ ref('currencies') }} as currencies on currencies.currency = lower(records.currency)
