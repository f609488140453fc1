-- The contact that one of the two systems names outright for a billing customer: billing in the customer's metadata, or
-- the CRM in the contact's own property. Billing's word counts first, of several contacts the older one's.
with stated as (
    select
        customers.client_id,
        customers.customer_id,
        survivors.contact_id,
        case when survivors.is_merged then 'merged_contact' else 'metadata' end as reason,
        1 as preference
    from {{ ref('stg_stripe__customers') }} as customers
    inner join {{ ref('int_surviving_contacts') }} as survivors
        on survivors.client_id = customers.client_id
        and survivors.record_id = {{ written_id("json_value(customers.metadata, '$." ~ var('contact_metadata_key') ~ "')") }}
    union all
    select
        client_id,
        {{ written_id('stripe_customer_id') }},
        contact_id,
        'crm_property',
        2
    from {{ ref('int_contacts') }}
    where {{ written_id('stripe_customer_id') }} is not null
),

ranked as (
    select
        stated.client_id,
        stated.customer_id,
        stated.contact_id,
        stated.reason,
        row_number() over (
            partition by stated.client_id, stated.customer_id
            order by stated.preference, contacts.created_at, safe_cast(stated.contact_id as int64), stated.contact_id
        ) as link_rank
    from stated
    inner join {{ ref('int_contacts') }} as contacts
        on contacts.client_id = stated.client_id and contacts.contact_id = stated.contact_id
)

select client_id, customer_id, contact_id, reason
from ranked
where link_rank = 1
