select
    records.client_id,
    records.id as balance_transaction_id,
    records.created as created_at,
    records.type as transaction_type,
    records.reporting_category,
    records.source_id,
    records.status,
    records.available_on as available_at,
    records.currency,
    {{ major_units('records.amount') }} as amount,
    {{ major_units('records.fee') }} as fee,
    {{ major_units('records.net') }} as net,
    records.fee_details,
    records.exchange_rate,
    records.balance_type,
    records.description,
    records._deleted_at is not null as is_deleted,
    records._deleted_at as deleted_at,
    records._observed_at as observed_at
from {{ as_known('stripe', 'stripe_balance_transactions') }} as records
left join {{ ref('currencies') }} as currencies on currencies.currency = lower(records.currency)
