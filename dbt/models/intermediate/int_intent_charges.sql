{{ config(materialized='view') }}

-- The charge by which a payment intent was paid, of all attempts at most one: refunds and disputes can name the intent alone.
select
    client_id,
    payment_intent_id,
    max_by(charge_id, created_at) as charge_id
from {{ ref('stg_stripe__charges') }}
where payment_intent_id is not null and status = 'succeeded' and not is_deleted
group by client_id, payment_intent_id
