{{ config(cluster_by=['client_id', 'currency']) }}

-- What was sent to the bank, from the movements of the balance: Stripe's own are the payout and, where the bank refused it, its way
-- back. What became available since the payout before is what an automatic one consists of. The payout itself says how it was sent.
with movements as (
    select client_id, balance_transaction_id, source_id, reporting_category, currency, created_at, day, available_at, amount, fee, net
    from {{ ref('balance_transactions') }}
),

returned as (
    select client_id, source_id, sum(amount) as amount, min(created_at) as returned_at
    from movements
    where reporting_category = 'payout_reversal'
    group by client_id, source_id
),

timeline as (
    select client_id, currency, available_at as happened_at, cast(null as string) as payout_movement, net
    from movements
    where reporting_category != 'payout'
    union all
    select client_id, currency, created_at, balance_transaction_id, net
    from movements
    where reporting_category = 'payout'
),

-- each movement belongs to the first payout at or after the moment at which it became available
assigned as (
    select
        client_id,
        payout_movement is not null as is_payout,
        net,
        first_value(payout_movement ignore nulls) over (
            partition by client_id, currency
            order by happened_at, payout_movement is not null, payout_movement
            rows between current row and unbounded following
        ) as payout_movement
    from timeline
),

available as (
    select
        client_id,
        payout_movement,
        countif(not is_payout) as movements,
        sum(case when not is_payout then net else numeric '0' end) as net
    from assigned
    where payout_movement is not null
    group by client_id, payout_movement
)

select
    payouts.client_id,
    payouts.source_id as payout_id,
    payouts.balance_transaction_id,
    payouts.currency,
    payouts.created_at,
    payouts.day as sent_on,
    date(coalesce(records.arrives_at, payouts.available_at)) as arrives_on,
    records.status,
    records.is_automatic,
    records.method,
    records.destination_type,
    records.destination_id,
    records.statement_descriptor,
    records.trace_id,
    cast(-payouts.amount as numeric) as amount,
    payouts.fee,
    cast(coalesce(returned.amount, numeric '0') as numeric) as returned_amount,
    returned.returned_at,
    records.failure_code,
    records.failure_message,
    available.movements as movement_count,
    cast(available.net as numeric) as became_available,
    cast(sum(available.net + payouts.net) over (
        partition by payouts.client_id, payouts.currency
        order by payouts.created_at, payouts.balance_transaction_id
    ) as numeric) as left_available
from movements as payouts
inner join available
    on available.client_id = payouts.client_id and available.payout_movement = payouts.balance_transaction_id
left join returned
    on returned.client_id = payouts.client_id and returned.source_id = payouts.source_id
left join {{ ref('stg_stripe__payouts') }} as records
    on records.client_id = payouts.client_id and records.payout_id = payouts.source_id and not records.is_deleted
where payouts.reporting_category = 'payout'
