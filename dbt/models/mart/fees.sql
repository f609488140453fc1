{{ config(
    partition_by={'field': 'day', 'data_type': 'date', 'granularity': 'month'},
    cluster_by=['client_id', 'currency']
) }}

-- What Stripe and the platforms between took, fee by fee: parts of what was withheld from a movement, and movements that are bills.
with withheld as (
    select
        transactions.client_id,
        transactions.balance_transaction_id,
        place as position,
        json_value(part, '$.type') as fee_type,
        json_value(part, '$.description') as description,
        json_value(part, '$.application') as application_id,
        {{ major_units("safe_cast(json_value(part, '$.amount') as int64)") }} as amount
    from {{ ref('stg_stripe__balance_transactions') }} as transactions
    cross join unnest(json_query_array(transactions.fee_details)) as part with offset as place
    left join {{ ref('currencies') }} as currencies on currencies.currency = lower(transactions.currency)
    where not transactions.is_deleted
)

select
    movements.client_id,
    movements.balance_transaction_id,
    withheld.position,
    movements.currency,
    movements.created_at,
    movements.day,
    withheld.fee_type,
    withheld.description,
    withheld.application_id,
    withheld.amount,
    movements.reporting_category,
    movements.charge_id,
    movements.invoice_id,
    movements.customer_id,
    movements.person_key
from {{ ref('balance_transactions') }} as movements
inner join withheld
    on withheld.client_id = movements.client_id and withheld.balance_transaction_id = movements.balance_transaction_id
union all
select
    client_id,
    balance_transaction_id,
    cast(0 as int64),
    currency,
    created_at,
    day,
    transaction_type,
    description,
    cast(null as string),
    cast(-amount as numeric),
    reporting_category,
    charge_id,
    invoice_id,
    customer_id,
    person_key
from {{ ref('balance_transactions') }}
where reporting_category = 'fee'
