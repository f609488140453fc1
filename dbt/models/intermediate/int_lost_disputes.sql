-- Disputes that were lost: money that the customer's bank took back for good. Direct debits that a bank returns after they succeeded
-- are disputes that are lost from the beginning.
select
    disputes.client_id,
    disputes.dispute_id,
    coalesce(disputes.charge_id, intents.charge_id) as charge_id,
    lower(disputes.currency) as currency,
    disputes.amount,
    disputes.created_at
from {{ ref('stg_stripe__disputes') }} as disputes
cross join {{ ref('int_as_of') }} as moment
left join {{ ref('int_intent_charges') }} as intents
    on intents.client_id = disputes.client_id and intents.payment_intent_id = disputes.payment_intent_id
where not disputes.is_deleted
    and disputes.status = 'lost'
    and disputes.created_at < moment.as_of
