{{ config(cluster_by=['client_id', 'currency']) }}

with customers as (
    select client_id, customer_id, person_key, currency
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

-- what came in and stayed; in the reporting currency at the rate of each payment's day, or not at all without one
cash as (
    select
        payments.client_id,
        payments.person_key,
        payments.currency,
        sum(payments.amount) as cash_collected,
        sum(payments.net_amount) as net_cash_collected,
        case
            when countif(rates.rate is null) = 0
                then sum({{ rounded_money('payments.net_amount * rates.rate', 'reporting') }})
        end as reporting_net_cash_collected
    from {{ ref('payments') }} as payments
    left join {{ ref('int_exchange_rates') }} as rates
        on rates.client_id = payments.client_id
        and rates.currency = payments.currency
        and rates.rate_date = date(payments.paid_at)
    left join {{ ref('currencies') }} as reporting on reporting.currency = rates.reporting_currency
    where payments.person_key is not null
    group by payments.client_id, payments.person_key, payments.currency
),

-- what invoices were marked as paid with, without any payment
marked as (
    select marked.client_id, customers.person_key, marked.currency, sum(marked.amount) as amount
    from {{ ref('int_marked_paid') }} as marked
    inner join customers
        on customers.client_id = marked.client_id and customers.customer_id = marked.customer_id
    group by marked.client_id, customers.person_key, marked.currency
),

recurring as (
    select movements.client_id, movements.person_key, movements.currency, movements.closing_mrr, movements.reporting_closing_mrr
    from {{ ref('mrr_movements') }} as movements
    inner join (
        select client_id, max(month) as month from {{ ref('int_months') }} group by client_id
    ) as last_months
        on last_months.client_id = movements.client_id and last_months.month = movements.month
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
    where customers.currency is not null
    union distinct
    select client_id, person_key, currency from cash
),

valued as (
    select
        grain.client_id,
        grain.person_key,
        grain.currency,
        economics.expected_lifetime_months,
        economics.is_lifetime_capped,
        economics.gross_margin,
        economics.acquisition_cost_per_person,
        coalesce(recurring.closing_mrr, numeric '0') as mrr,
        -- nothing recurring is worth nothing from now on; without any history of churn nobody knows
        case
            when coalesce(recurring.closing_mrr, numeric '0') = 0 then numeric '0'
            else {{ rounded_money(
                'cast(economics.gross_margin * economics.expected_lifetime_months as numeric) * recurring.closing_mrr'
            ) }}
        end as projected_value,
        case
            when not logical_or(recurring.person_key is not null and recurring.reporting_closing_mrr is null) over (
                partition by grain.client_id, grain.person_key
            )
                then sum(recurring.reporting_closing_mrr) over (partition by grain.client_id, grain.person_key)
        end as reporting_mrr_of_person
    from grain
    left join {{ ref('unit_economics') }} as economics
        on economics.client_id = grain.client_id and economics.currency = grain.currency
    left join recurring
        on recurring.client_id = grain.client_id
        and recurring.person_key = grain.person_key
        and recurring.currency = grain.currency
    left join {{ ref('currencies') }} as currencies on currencies.currency = grain.currency
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
    cast(coalesce(cash.cash_collected, numeric '0') as numeric) as cash_collected,
    coalesce(cash.net_cash_collected, numeric '0') as net_cash_collected,
    cast(coalesce(marked.amount, numeric '0') as numeric) as marked_paid_amount,
    grain.mrr,
    cast(grain.expected_lifetime_months as numeric) as expected_lifetime_months,
    coalesce(grain.is_lifetime_capped, false) as is_lifetime_capped,
    cast(grain.projected_value as numeric) as projected_value,
    clients.reporting_currency,
    cast(case
        when cash.person_key is null then numeric '0' else cash.reporting_net_cash_collected
    end as numeric) as reporting_net_cash_collected,
    cast({{ rounded_money('grain.projected_value * rates.rate', 'reporting') }} as numeric) as reporting_projected_value,
    {{ payback_months('grain.acquisition_cost_per_person', 'grain.gross_margin', 'grain.reporting_mrr_of_person') }}
        as payback_months,
    coalesce(months.months_active, 0) as months_active,
    plans.plan,
    plans.person_key is not null as has_active_subscription,
    persons.crm_status,
    plans.person_key is not null
        and coalesce(persons.crm_status in ({{ quoted_list(var('churned_statuses')) }}), false)
        as is_churned_in_crm_but_active,
    logical_and(plans.person_key is null) over (partition by grain.client_id, grain.person_key)
        and coalesce(months.months_active, 0) > 0
        and coalesce(persons.crm_status in ({{ quoted_list(var('active_statuses')) }}), false)
        as is_active_in_crm_but_churned,
    moment.as_of
from valued as grain
cross join {{ ref('int_as_of') }} as moment
inner join {{ ref('int_clients') }} as clients on clients.client_id = grain.client_id
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
left join cash
    on cash.client_id = grain.client_id
    and cash.person_key = grain.person_key
    and cash.currency = grain.currency
left join marked
    on marked.client_id = grain.client_id
    and marked.person_key = grain.person_key
    and marked.currency = grain.currency
left join {{ ref('int_exchange_rates') }} as rates
    on rates.client_id = grain.client_id
    and rates.currency = grain.currency
    and rates.rate_date = date(moment.as_of)
left join {{ ref('currencies') }} as reporting on reporting.currency = clients.reporting_currency
