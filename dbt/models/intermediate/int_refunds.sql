-- Refunds that gave money back. Not those that failed, and none of money that never came: of an authorisation that ran out, or of what
-- was left of one that was captured in part. Before API version 2025-03-31 Stripe writes a refund for both.
select
    refunds.client_id,
    refunds.refund_id,
    refunds.charge_id,
    lower(refunds.currency) as currency,
    refunds.amount,
    refunds.created_at
from {{ ref('stg_stripe__refunds') }} as refunds
cross join {{ ref('int_as_of') }} as moment
left join {{ ref('stg_stripe__balance_transactions') }} as transactions
    on transactions.client_id = refunds.client_id
    and transactions.balance_transaction_id = refunds.balance_transaction_id
where not refunds.is_deleted
    and refunds.status not in ('failed', 'canceled')
    and coalesce(refunds.reason, '') != 'expired_uncaptured_charge'
    and coalesce(transactions.reporting_category, '') != 'partial_capture_reversal'
    and refunds.created_at < moment.as_of
