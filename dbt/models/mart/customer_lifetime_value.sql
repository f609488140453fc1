{{ config(cluster_by=['client_id', 'currency']) }}

with customers as (
    select client_id, customer_id, created_at, person_key, currency
    from {{ ref('int_customer_persons') }}
),

payments as (
    select
        payments.client_id,
        customers.person_key,
        payments.currency,
        sum(payments.amount_paid) as revenue_collected,
        count(*) as invoices_paid,
        min(payments.collected_at) as first_payment_at,
        max(payments.collected_at) as last_payment_at
    from {{ ref('int_payments') }} as payments
    inner join customers
        on customers.client_id = payments.client_id and customers.customer_id = payments.customer_id
    group by payments.client_id, customers.person_key, payments.currency
),

months as (
    select
        months.client_id,
        customers.person_key,
        months.currency,
        count(distinct months.active_month) as months_active
    from {{ ref('int_subscription_months') }} as months
    inner join customers
        on customers.client_id = months.client_id and customers.customer_id = months.customer_id
    group by months.client_id, customers.person_key, months.currency
),

-- the latest of the person's subscriptions in force, per currency
plans as (
    select
        subscriptions.client_id,
        customers.person_key,
        subscriptions.currency,
        subscriptions.plan,
        row_number() over (
            partition by subscriptions.client_id, customers.person_key, subscriptions.currency
            order by subscriptions.started_at desc, subscriptions.subscription_id desc
        ) as recency
    from {{ ref('int_active_subscriptions') }} as subscriptions
    inner join customers
        on customers.client_id = subscriptions.client_id and customers.customer_id = subscriptions.customer_id
),

-- every currency in which the person deals with us, paid yet or not
dealings as (
    select client_id, customer_id, lower(currency) as currency, created_at
    from {{ ref('stg_stripe__invoices') }}
    where not is_deleted
    union all
    select client_id, customer_id, lower(currency), created_at
    from {{ ref('stg_stripe__subscriptions') }}
    where not is_deleted
),

grain as (
    select customers.client_id, customers.person_key, dealings.currency
    from dealings
    inner join customers
        on customers.client_id = dealings.client_id and customers.customer_id = dealings.customer_id
    cross join {{ ref('int_as_of') }} as moment
    where dealings.created_at < moment.as_of
    union distinct
    select customers.client_id, customers.person_key, customers.currency
    from customers
    cross join {{ ref('int_as_of') }} as moment
    where customers.currency is not null and customers.created_at < moment.as_of
)

select
    grain.client_id,
    grain.person_key,
    persons.person_email as email,
    persons.match,
    persons.match_confidence,
    persons.stripe_customer_ids,
    persons.hubspot_contact_id,
    grain.currency,
    coalesce(payments.revenue_collected, numeric '0') as revenue_collected,
    coalesce(payments.invoices_paid, 0) as invoices_paid,
    payments.first_payment_at,
    payments.last_payment_at,
    coalesce(months.months_active, 0) as months_active,
    plans.plan,
    plans.person_key is not null as has_active_subscription,
    persons.crm_status,
    plans.person_key is not null
        and coalesce(persons.crm_status in ({{ quoted_list(var('churned_statuses')) }}), false)
        as is_churned_in_crm_but_active,
    moment.as_of
from grain
cross join {{ ref('int_as_of') }} as moment
inner join {{ ref('int_persons') }} as persons
    on persons.client_id = grain.client_id and persons.person_key = grain.person_key
left join payments
    on payments.client_id = grain.client_id
    and payments.person_key = grain.person_key
    and payments.currency = grain.currency
left join months
    on months.client_id = grain.client_id
    and months.person_key = grain.person_key
    and months.currency = grain.currency
left join plans
    on plans.client_id = grain.client_id
    and plans.person_key = grain.person_key
    and plans.currency = grain.currency
    and plans.recency = 1
