select
    records.client_id,
    records.id as invoice_payment_id,
    records.created as created_at,
    records.invoice_id,
    records.status,
    records.currency,
    {{ major_units('records.amount_requested') }} as amount_requested,
    {{ major_units('records.amount_paid') }} as amount_paid,
    records.is_default,
    records.payment_type,
    records.payment_intent_id,
    records.charge_id,
    records.payment_record_id,
    records.paid_at,
    records.canceled_at,
    coalesce(not records.livemode, false) as is_test_mode,
    records._deleted_at is not null as is_deleted,
    records._deleted_at as deleted_at,
    records._observed_at as observed_at
from {{ as_known('stripe', 'stripe_invoice_payments') }} as records
left join {{ ref('currencies') }} as currencies on currencies.currency = lower(records.currency)
