with billing as (
    select
        client_id,
        person_key,
        max(person_email) as person_email,
        count(*) as stripe_customer_ids,
        logical_and(is_deleted) as is_deleted_in_billing,
        min(case match_confidence when 'certain' then 3 when 'high' then 2 when 'medium' then 1 else 0 end) as weakest_match
    from {{ ref('int_customer_persons') }}
    group by client_id, person_key
),

-- the contact that speaks for each person with an address: the best claim on the person's own mailbox
speakers as (
    select
        emails.client_id,
        {{ person_key('emails.client_id', 'email', 'emails.email') }} as person_key,
        emails.email as person_email,
        emails.contact_id
    from {{ ref('int_contact_emails') }} as emails
    inner join {{ ref('int_email_persons') }} as persons
        on persons.client_id = emails.client_id and persons.email = emails.email
    where emails.claim_rank = 1 and persons.person_email = emails.email
),

-- contacts without any address can't match anybody
mute as (
    select
        contacts.client_id,
        {{ person_key('contacts.client_id', 'hubspot', 'contacts.contact_id') }} as person_key,
        cast(null as string) as person_email,
        contacts.contact_id
    from {{ ref('int_contacts') }} as contacts
    left join {{ ref('int_contact_emails') }} as emails
        on emails.client_id = contacts.client_id and emails.contact_id = contacts.contact_id
    where emails.contact_id is null
),

people as (
    select client_id, person_key, count(*) as contact_ids
    from {{ ref('int_contact_persons') }}
    group by client_id, person_key
),

crm as (
    select client_id, person_key, person_email, contact_id from speakers
    union all
    select client_id, person_key, person_email, contact_id from mute
)

select
    coalesce(billing.client_id, crm.client_id) as client_id,
    coalesce(billing.person_key, crm.person_key) as person_key,
    coalesce(billing.person_email, crm.person_email) as person_email,
    coalesce(billing.stripe_customer_ids, 0) as stripe_customer_ids,
    coalesce(billing.is_deleted_in_billing, false) as is_deleted_in_billing,
    coalesce(people.contact_ids, 0) as hubspot_contact_ids,
    crm.contact_id as hubspot_contact_id,
    coalesce(contacts.customer_status, contacts.lifecycle_stage) as crm_status,
    case
        when billing.person_key is null then 'crm_only'
        when crm.person_key is not null then 'matched'
        when billing.person_email is null then 'no_email'
        else 'stripe_only'
    end as match,
    case
        when billing.person_key is null then 'none'
        when billing.weakest_match = 3 then 'certain'
        when billing.weakest_match = 2 then 'high'
        when billing.weakest_match = 1 then 'medium'
        else 'none'
    end as match_confidence
from billing
full join crm
    on crm.client_id = billing.client_id and crm.person_key = billing.person_key
left join {{ ref('int_contacts') }} as contacts
    on contacts.client_id = crm.client_id and contacts.contact_id = crm.contact_id
left join people
    on people.client_id = crm.client_id and people.person_key = crm.person_key
