-- Several contacts may claim one mailbox (two +tags of it, an address left over from a merge); the claims are ranked
-- here, and everything downstream follows rank 1 only.
with contacts as (
    select client_id, contact_id, created_at, normalised_email, additional_emails
    from {{ ref('int_contacts') }}
),

claims as (
    select client_id, contact_id, created_at, normalised_email as email, true as is_primary
    from contacts
    union all
    select
        contacts.client_id,
        contacts.contact_id,
        contacts.created_at,
        {{ normalised_email('additional_email') }} as email,
        false as is_primary
    from contacts
    cross join unnest(split(contacts.additional_emails, ';')) as additional_email
),

distinct_claims as (
    select client_id, contact_id, created_at, email, logical_or(is_primary) as is_primary
    from claims
    where email is not null
    group by client_id, contact_id, created_at, email
)

select
    client_id,
    email,
    contact_id,
    is_primary,
    row_number() over (
        partition by client_id, email
        order by is_primary desc, created_at asc, safe_cast(contact_id as int64) asc, contact_id asc
    ) as claim_rank
from distinct_claims
