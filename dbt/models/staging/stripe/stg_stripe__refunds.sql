select
    records.client_id,
    records.id as refund_id,
    records.created as created_at,
    records.charge_id,
    records.payment_intent_id,
    records.customer_id,
    records.customer_account_id,
    records.payment_method_id,
    records.balance_transaction_id,
    records.failure_balance_transaction_id,
    records.status,
    records.currency,
    {{ major_units('records.amount') }} as amount,
    records.reason,
    records.pending_reason,
    records.failure_reason,
    records.destination_type,
    {{ major_units('records.presentment_amount', 'presented') }} as presentment_amount,
    records.presentment_currency,
    records.receipt_number,
    records.description,
    records.metadata,
    records._deleted_at is not null as is_deleted,
    records._deleted_at as deleted_at,
    records._observed_at as observed_at
from {{ as_known('stripe', 'stripe_refunds') }} as records
left join {{ ref('currencies') }} as currencies on currencies.currency = lower(records.currency)
left join {{ ref('currencies') }} as presented on presented.currency = lower(records.presentment_currency)
