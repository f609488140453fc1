-- Which person each Stripe customer is: the contact that either system names, else whoever the mailbox belongs to. A link
-- speaks for its own customer, not for the mailbox: others may write from there. Neither link nor address: nobody's match,
-- such a customer is a person of its own.
select
    customers.client_id,
    customers.customer_id,
    customers.created_at,
    case
        when links.contact_id is not null then linked.person_key
        when customers.normalised_email is null then {{ person_key('customers.client_id', 'stripe', 'customers.customer_id') }}
        else {{ person_key('customers.client_id', 'email', 'coalesce(emails.person_email, customers.normalised_email)') }}
    end as person_key,
    case
        when links.contact_id is not null then linked.person_email
        else coalesce(emails.person_email, customers.normalised_email)
    end as person_email,
    case
        when links.contact_id is not null then links.reason
        when customers.normalised_email is null then 'no_email'
        when emails.email is null then 'stripe_only'
        when emails.is_primary then 'email'
        else 'additional_email'
    end as match_reason,
    case
        when links.contact_id is not null then 'certain'
        when emails.email is null then 'none'
        when emails.is_primary then 'high'
        else 'medium'
    end as match_confidence,
    customers.currency,
    customers.is_deleted,
    customers.is_listed
from {{ ref('int_stripe_customers') }} as customers
left join {{ ref('int_customer_links') }} as links
    on links.client_id = customers.client_id and links.customer_id = customers.customer_id
left join {{ ref('int_contact_persons') }} as linked
    on linked.client_id = links.client_id and linked.contact_id = links.contact_id
left join {{ ref('int_email_persons') }} as emails
    on emails.client_id = customers.client_id and emails.email = customers.normalised_email
