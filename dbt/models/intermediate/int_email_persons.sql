-- A mailbox belongs to the contact that claims it best; that contact's own primary address names the person. One step
-- is enough: a primary address always wins its own mailbox, so the person's address leads to itself.
with primaries as (
    select client_id, contact_id, email
    from {{ ref('int_contact_emails') }}
    where is_primary
),

best as (
    select client_id, email, contact_id, is_primary
    from {{ ref('int_contact_emails') }}
    where claim_rank = 1
)

select
    best.client_id,
    best.email,
    coalesce(primaries.email, best.email) as person_email,
    best.is_primary
from best
left join primaries
    on primaries.client_id = best.client_id and primaries.contact_id = best.contact_id
