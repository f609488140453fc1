-- Refunds that gave money back or are about to. Not those that failed, and none of money that never came: of a payment that failed or
-- has still to succeed, of an authorisation that ran out, or of what was left of one that was captured in part. Before API version
-- 2025-03-31 Stripe writes a refund for the latter two. Refunds of the first years have no status.
select
    refunds.client_id,
    refunds.refund_id,
    coalesce(refunds.charge_id, intents.charge_id) as charge_id,
    lower(refunds.currency) as currency,
    refunds.amount,
    coalesce(refunds.status in ('pending', 'requires_action'), false) as is_pending,
    refunds.created_at
from {{ ref('stg_stripe__refunds') }} as refunds
cross join {{ ref('int_as_of') }} as moment
left join {{ ref('int_intent_charges') }} as intents
    on intents.client_id = refunds.client_id and intents.payment_intent_id = refunds.payment_intent_id
left join {{ ref('stg_stripe__charges') }} as charges
    on charges.client_id = refunds.client_id
    and charges.charge_id = coalesce(refunds.charge_id, intents.charge_id)
left join {{ ref('stg_stripe__balance_transactions') }} as transactions
    on transactions.client_id = refunds.client_id
    and transactions.balance_transaction_id = refunds.balance_transaction_id
where not refunds.is_deleted
    and coalesce(refunds.status, 'succeeded') not in ('failed', 'canceled')
    and coalesce(charges.status, 'succeeded') = 'succeeded'
    and coalesce(refunds.reason, '') != 'expired_uncaptured_charge'
    and coalesce(transactions.reporting_category, '') not in ('partial_capture_reversal', 'charge_failure')
    and refunds.created_at < moment.as_of
