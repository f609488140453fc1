-- Every subscription at the moment of the run, and what its status means. `is_serving`: the customer has the service.
-- `is_billed`: Stripe goes on issuing invoices. Of an unpaid subscription, and of one whose collection is paused by voiding,
-- there are only invoices that nobody owes; a paused one has none.
with paid as (
    select client_id, subscription_id, max(period_end) as paid_until
    from {{ ref('stg_stripe__invoice_lines') }}
    where not is_deleted and amount > 0 and coalesce(invoice_status not in ('draft', 'void'), true)
    group by client_id, subscription_id
)

select
    subscriptions.client_id,
    subscriptions.subscription_id,
    subscriptions.customer_id,
    lower(subscriptions.currency) as currency,
    subscriptions.status,
    coalesce(subscriptions.started_at, subscriptions.created_at) as started_at,
    subscriptions.trial_started_at,
    subscriptions.trial_ends_at,
    subscriptions.billing_anchored_at,
    case
        -- older API versions don't say when it was paused: after its trial, or after what was paid for
        when subscriptions.status = 'paused' then coalesce(
            subscriptions.paused_at,
            paid.paid_until,
            subscriptions.trial_ends_at,
            subscriptions.started_at,
            subscriptions.created_at
        )
        when subscriptions.ended_at < moment.as_of then subscriptions.ended_at
    end as ended_at,
    coalesce(subscriptions.status not in ('incomplete', 'incomplete_expired'), true) as has_begun,
    coalesce(subscriptions.status in ('trialing', 'active', 'past_due'), false) as is_serving,
    coalesce(subscriptions.status not in ('unpaid', 'paused'), true)
        and coalesce(subscriptions.pause_behavior != 'void', true) as is_billed,
    coalesce(subscriptions.status in ('past_due', 'unpaid'), false) as is_at_risk,
    subscriptions.pause_behavior is not null as is_collection_paused
from {{ ref('stg_stripe__subscriptions') }} as subscriptions
cross join {{ ref('int_as_of') }} as moment
left join paid
    on paid.client_id = subscriptions.client_id and paid.subscription_id = subscriptions.subscription_id
where not subscriptions.is_deleted and subscriptions.created_at < moment.as_of
