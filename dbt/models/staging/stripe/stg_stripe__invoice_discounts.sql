select
    records.client_id,
    records.invoice_id,
    records.invoice_number,
    records.invoice_created as invoice_created_at,
    records.invoice_status,
    records.customer_id,
    records.currency,
    coalesce(not records.livemode, false) as is_test_mode,
    records.discount_id,
    {{ major_units('records.amount') }} as amount,
    records.coupon_id,
    records.promotion_code_id,
    records.subscription_id,
    records.subscription_item_id,
    records.started_at,
    records.ends_at,
    records._deleted_at is not null as is_deleted,
    records._deleted_at as deleted_at,
    records._observed_at as observed_at
from {{ as_known('stripe', 'stripe_invoice_discounts') }} as records
left join {{ ref('currencies') }} as currencies on currencies.currency = lower(records.currency)
