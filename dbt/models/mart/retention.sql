{{ config(cluster_by=['client_id', 'currency']) }}

with cohorts as (
    select
        client_id,
        currency,
        first_month as cohort_month,
        count(distinct person_key) as persons_at_start,
        sum(new_mrr) as mrr_at_start
    from {{ ref('mrr_movements') }}
    where movement = 'new'
    group by client_id, currency, first_month
),

kept as (
    select
        client_id,
        currency,
        first_month as cohort_month,
        month,
        countif(closing_mrr > 0) as persons_retained,
        sum(closing_mrr) as mrr_retained
    from {{ ref('mrr_movements') }}
    group by client_id, currency, first_month, month
)

select
    cohorts.client_id,
    cohorts.currency,
    cohorts.cohort_month,
    months.month,
    date_diff(months.month, cohorts.cohort_month, month) as months_since_start,
    months.is_closed,
    cohorts.persons_at_start,
    coalesce(kept.persons_retained, 0) as persons_retained,
    cast(cohorts.mrr_at_start as numeric) as mrr_at_start,
    cast(coalesce(kept.mrr_retained, numeric '0') as numeric) as mrr_retained
from cohorts
inner join {{ ref('int_months') }} as months
    on months.client_id = cohorts.client_id and months.month >= cohorts.cohort_month
left join kept
    on kept.client_id = cohorts.client_id
    and kept.currency = cohorts.currency
    and kept.cohort_month = cohorts.cohort_month
    and kept.month = months.month
