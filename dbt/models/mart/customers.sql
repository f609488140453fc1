{{ config(cluster_by=['client_id', 'customer_id']) }}

with billed as (
    select
        client_id,
        customer_id,
        countif(issued_at is not null) as invoices,
        min(issued_at) as first_invoice_at,
        max(issued_at) as last_invoice_at,
        countif(is_overdue) as overdue_invoices
    from {{ ref('invoices') }}
    group by client_id, customer_id
),

subscribed as (
    select client_id, customer_id, count(*) as active_subscriptions
    from {{ ref('int_active_subscriptions') }}
    group by client_id, customer_id
)

select
    persons.client_id,
    persons.customer_id,
    persons.person_key,
    people.hubspot_contact_id,
    persons.match_reason,
    persons.match_confidence,
    companies.company_id as hubspot_company_id,
    companies.match_reason as company_match_reason,
    companies.match_confidence as company_match_confidence,
    customers.email,
    customers.customer_name,
    customers.address_country as country,
    persons.created_at,
    persons.currency,
    customers.balance,
    customers.delinquent as is_delinquent,
    coalesce(subscribed.active_subscriptions, 0) as active_subscriptions,
    coalesce(billed.invoices, 0) as invoices,
    billed.first_invoice_at,
    billed.last_invoice_at,
    coalesce(billed.overdue_invoices, 0) as overdue_invoices,
    persons.is_deleted,
    persons.is_listed
from {{ ref('int_customer_persons') }} as persons
inner join {{ ref('int_persons') }} as people
    on people.client_id = persons.client_id and people.person_key = persons.person_key
left join {{ ref('int_customer_companies') }} as companies
    on companies.client_id = persons.client_id and companies.customer_id = persons.customer_id
left join {{ ref('stg_stripe__customers') }} as customers
    on customers.client_id = persons.client_id and customers.customer_id = persons.customer_id
left join billed
    on billed.client_id = persons.client_id and billed.customer_id = persons.customer_id
left join subscribed
    on subscribed.client_id = persons.client_id and subscribed.customer_id = persons.customer_id
