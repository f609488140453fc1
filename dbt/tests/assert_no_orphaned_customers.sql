-- Every customer that an invoice or subscription names is there. Stripe lists deleted customers no more while their invoices stay, so a
-- customer without a row is excused only if it can have been deleted: deleting one cancels its subscriptions.
with mentions as (
    select client_id, 'invoice' as object, invoice_id as id, customer_id, false as is_alive
    from {{ ref('stg_stripe__invoices') }}
    where not is_deleted
    union all
    select
        client_id,
        'subscription',
        subscription_id,
        customer_id,
        status in ('trialing', 'active', 'past_due', 'unpaid', 'paused', 'incomplete')
    from {{ ref('stg_stripe__subscriptions') }}
    where not is_deleted
),

missing as (
    select
        mentions.client_id,
        mentions.object,
        mentions.id,
        mentions.customer_id,
        logical_or(mentions.is_alive) over (partition by mentions.client_id, mentions.customer_id) as is_alive
    from mentions
    left join {{ ref('stg_stripe__customers') }} as customers
        on customers.client_id = mentions.client_id and customers.customer_id = mentions.customer_id
    where customers.customer_id is null
)

select client_id, object, id, customer_id
from missing
where customer_id is not null and is_alive
