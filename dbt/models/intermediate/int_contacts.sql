-- Contacts that the CRM has at the moment of the run: those in the recycle bin, merged away or not there yet have no say in who is who.
select
    contacts.client_id,
    contacts.contact_id,
    contacts.created_at,
    contacts.normalised_email,
    contacts.additional_emails,
    contacts.stripe_customer_id,
    contacts.customer_status,
    contacts.lifecycle_stage
from {{ ref('stg_hubspot__contacts') }} as contacts
cross join {{ ref('int_as_of') }} as moment
where not contacts.is_deleted and contacts.created_at < moment.as_of
