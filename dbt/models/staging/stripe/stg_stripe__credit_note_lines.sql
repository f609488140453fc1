select
    records.client_id,
    records.credit_note_id,
    records.credit_note_number,
    records.credit_note_created as credit_note_created_at,
    records.credit_note_status,
    records.invoice_id,
    records.customer_id,
    records.currency,
    records.id as credit_note_line_id,
    records.line_type,
    records.invoice_line_id,
    {{ major_units('records.amount') }} as amount,
    {{ major_units('records.discount_amount') }} as discount_amount,
    records.quantity,
    {{ major_units('coalesce(safe_cast(records.unit_amount_decimal as numeric), records.unit_amount)') }} as unit_amount,
    records.description,
    coalesce(not records.livemode, false) as is_test_mode,
    records.metadata,
    records._deleted_at is not null as is_deleted,
    records._deleted_at as deleted_at,
    records._observed_at as observed_at
from {{ as_known('stripe', 'stripe_credit_note_lines') }} as records
left join {{ ref('currencies') }} as currencies on currencies.currency = lower(records.currency)
