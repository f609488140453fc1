-- Which person each Stripe customer is. No address, no match: such a customer is a person of its own.
select
    customers.client_id,
    customers.customer_id,
    customers.created_at,
    case
        when customers.normalised_email is null then {{ person_key('customers.client_id', 'stripe', 'customers.customer_id') }}
        else {{ person_key('customers.client_id', 'email', 'coalesce(emails.person_email, customers.normalised_email)') }}
    end as person_key,
    coalesce(emails.person_email, customers.normalised_email) as person_email,
    case
        when customers.normalised_email is null then 'no_email'
        when emails.email is null then 'stripe_only'
        when emails.is_primary then 'email'
        else 'additional_email'
    end as match_reason,
    customers.currency,
    customers.is_deleted,
    customers.is_listed
from {{ ref('int_stripe_customers') }} as customers
left join {{ ref('int_email_persons') }} as emails
    on emails.client_id = customers.client_id and emails.email = customers.normalised_email
