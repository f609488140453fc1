-- The person that each contact is: by its primary address or, without one, by the best of its additional ones.
with addresses as (
    select
        emails.client_id,
        emails.contact_id,
        emails.is_primary,
        persons.person_email,
        row_number() over (
            partition by emails.client_id, emails.contact_id order by emails.is_primary desc, emails.email
        ) as preference
    from {{ ref('int_contact_emails') }} as emails
    inner join {{ ref('int_email_persons') }} as persons
        on persons.client_id = emails.client_id and persons.email = emails.email
)

select
    contacts.client_id,
    contacts.contact_id,
    contacts.created_at,
    case
        when addresses.person_email is null then {{ person_key('contacts.client_id', 'hubspot', 'contacts.contact_id') }}
        else {{ person_key('contacts.client_id', 'email', 'addresses.person_email') }}
    end as person_key,
    addresses.person_email,
    case
        when addresses.person_email is null then 'no_email'
        when addresses.is_primary then 'email'
        else 'additional_email'
    end as match_reason
from {{ ref('int_contacts') }} as contacts
left join addresses
    on addresses.client_id = contacts.client_id
    and addresses.contact_id = contacts.contact_id
    and addresses.preference = 1
