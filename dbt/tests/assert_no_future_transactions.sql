-- Nothing can have happened after it was observed. Rows newer than the moment of the run are fine when a later run
-- loaded them, hence the later of the two moments.
with transactions as (
    select client_id, 'invoice created' as event, invoice_id as id, created_at as happened_at, observed_at
    from {{ ref('stg_stripe__invoices') }}
    union all
    select client_id, 'invoice finalised', invoice_id, finalized_at, observed_at
    from {{ ref('stg_stripe__invoices') }}
    union all
    select client_id, 'invoice paid', invoice_id, paid_at, observed_at
    from {{ ref('stg_stripe__invoices') }}
    union all
    select client_id, 'subscription created', subscription_id, created_at, observed_at
    from {{ ref('stg_stripe__subscriptions') }}
    union all
    select client_id, 'customer created', customer_id, created_at, observed_at
    from {{ ref('stg_stripe__customers') }}
)

select transactions.client_id, transactions.event, transactions.id, transactions.happened_at, transactions.observed_at
from transactions
cross join {{ ref('int_as_of') }} as moment
where transactions.happened_at > greatest(transactions.observed_at, moment.as_of)
