-- Customers that were deleted before the first load are in no listing any more, yet their invoices are, with the cash
-- that was collected. They are known from those invoices, by the address printed on the latest one, or from charges that have none.
with listed as (
    select client_id, customer_id, created_at, normalised_email, lower(currency) as currency, is_deleted
    from {{ ref('stg_stripe__customers') }}
    cross join {{ ref('int_as_of') }} as moment
    where created_at < moment.as_of
),

documents as (
    select client_id, customer_id, customer_email, created_at, invoice_id as mention_id
    from {{ ref('stg_stripe__invoices') }}
    union all
    select client_id, customer_id, cast(null as string), created_at, subscription_id
    from {{ ref('stg_stripe__subscriptions') }}
    union all
    select client_id, customer_id, cast(null as string), created_at, charge_id
    from {{ ref('stg_stripe__charges') }}
),

mentions as (
    select client_id, customer_id, customer_email, created_at, mention_id
    from documents
    cross join {{ ref('int_as_of') }} as moment
    where customer_id is not null and created_at < moment.as_of
),

unlisted as (
    select
        mentions.client_id,
        mentions.customer_id,
        mentions.customer_email,
        row_number() over (
            partition by mentions.client_id, mentions.customer_id
            order by mentions.customer_email is null, mentions.created_at desc, mentions.mention_id desc
        ) as recency
    from mentions
    left join listed
        on listed.client_id = mentions.client_id and listed.customer_id = mentions.customer_id
    where listed.customer_id is null
)

select client_id, customer_id, created_at, normalised_email, currency, is_deleted, true as is_listed
from listed
union all
select
    client_id,
    customer_id,
    cast(null as timestamp) as created_at,
    {{ normalised_email('customer_email') }} as normalised_email,
    cast(null as string) as currency,
    true as is_deleted,
    false as is_listed
from unlisted
where recency = 1
