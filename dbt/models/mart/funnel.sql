{{ config(cluster_by=['client_id', 'cohort_month']) }}

-- Each person once, in the month in which the CRM first knew them, and how far they came.
with known as (
    select
        contacts.client_id,
        persons.person_key,
        min(date(date_trunc(
            date(coalesce(contacts.portal_created_at, contacts.created_at), clients.reporting_timezone), month
        ))) as cohort_month
    from {{ ref('stg_hubspot__contacts') }} as contacts
    inner join {{ ref('int_contact_persons') }} as persons
        on persons.client_id = contacts.client_id and persons.contact_id = contacts.contact_id
    inner join {{ ref('int_clients') }} as clients on clients.client_id = contacts.client_id
    cross join {{ ref('int_as_of') }} as moment
    where contacts.created_at < moment.as_of
    group by contacts.client_id, persons.person_key
),

dealt as (
    select client_id, person_key, logical_or(is_won) as has_won
    from {{ ref('deals') }}
    where person_key is not null
    group by client_id, person_key
),

paid as (
    select client_id, person_key, logical_or(status = 'succeeded') as has_paid
    from {{ ref('payments') }}
    where person_key is not null
    group by client_id, person_key
),

recurring as (
    select distinct client_id, person_key
    from {{ ref('mrr_movements') }}
)

select
    known.client_id,
    known.cohort_month,
    count(*) as people,
    countif(dealt.person_key is not null) as with_deal,
    countif(coalesce(dealt.has_won, false)) as with_won_deal,
    countif(coalesce(paid.has_paid, false)) as with_payment,
    countif(recurring.person_key is not null) as with_recurring_revenue
from known
left join dealt on dealt.client_id = known.client_id and dealt.person_key = known.person_key
left join paid on paid.client_id = known.client_id and paid.person_key = known.person_key
left join recurring on recurring.client_id = known.client_id and recurring.person_key = known.person_key
group by known.client_id, known.cohort_month
