{{ config(
    partition_by={'field': 'month', 'data_type': 'date', 'granularity': 'month'},
    cluster_by=['client_id', 'currency']
) }}

with monthly as (
    select
        recurring.client_id,
        recurring.person_key,
        recurring.currency,
        recurring.month,
        coalesce(sum(recurring.mrr), numeric '0') as mrr,
        -- what has no rate is unknown, not nothing
        case
            when countif(recurring.reporting_mrr is null and recurring.mrr != 0) = 0
                then coalesce(sum(recurring.reporting_mrr), numeric '0')
        end as reporting_mrr
    -- not under its own name: in GoogleSQL `mrr` would be the whole row
    from {{ ref('mrr') }} as recurring
    group by recurring.client_id, recurring.person_key, recurring.currency, recurring.month
),

payers as (
    select client_id, person_key, currency, min(month) as first_month
    from monthly
    where mrr > 0
    group by client_id, person_key, currency
),

-- every month from the first one with recurring revenue on, also those without any
filled as (
    select
        payers.client_id,
        payers.person_key,
        payers.currency,
        payers.first_month,
        months.month,
        months.is_closed,
        coalesce(monthly.mrr, numeric '0') as closing_mrr,
        case when monthly.month is null then numeric '0' else monthly.reporting_mrr end as reporting_closing_mrr
    from payers
    inner join {{ ref('int_months') }} as months
        on months.client_id = payers.client_id and months.month >= payers.first_month
    left join monthly
        on monthly.client_id = payers.client_id
        and monthly.person_key = payers.person_key
        and monthly.currency = payers.currency
        and monthly.month = months.month
),

opened as (
    select
        client_id,
        person_key,
        currency,
        first_month,
        month,
        is_closed,
        closing_mrr,
        reporting_closing_mrr,
        coalesce(
            lag(closing_mrr) over (partition by client_id, person_key, currency order by month), numeric '0'
        ) as opening_mrr
    from filled
),

-- what the person had when the month's quarter and year began: retention over these is about the same people at both ends
compared as (
    select
        client_id,
        person_key,
        currency,
        first_month,
        month,
        is_closed,
        opening_mrr,
        closing_mrr,
        reporting_closing_mrr,
        coalesce(max(case when month = date_trunc(month, quarter) then opening_mrr end) over (
            partition by client_id, person_key, currency, date_trunc(month, quarter)
        ), numeric '0') as quarter_opening_mrr,
        coalesce(max(case when month = date_trunc(month, year) then opening_mrr end) over (
            partition by client_id, person_key, currency, date_trunc(month, year)
        ), numeric '0') as year_opening_mrr
    from opened
)

select
    client_id,
    person_key,
    currency,
    first_month,
    month,
    is_closed,
    case
        when month = first_month then 'new'
        when opening_mrr = 0 then 'reactivation'
        when closing_mrr = 0 then 'churn'
        when closing_mrr > opening_mrr then 'expansion'
        when closing_mrr < opening_mrr then 'contraction'
        else 'unchanged'
    end as movement,
    cast(opening_mrr as numeric) as opening_mrr,
    cast(quarter_opening_mrr as numeric) as quarter_opening_mrr,
    cast(year_opening_mrr as numeric) as year_opening_mrr,
    cast(case when month = first_month then closing_mrr else numeric '0' end as numeric) as new_mrr,
    cast(case when month != first_month and opening_mrr = 0 then closing_mrr else numeric '0' end as numeric)
        as reactivation_mrr,
    cast(case
        when opening_mrr > 0 and closing_mrr > opening_mrr then closing_mrr - opening_mrr else numeric '0'
    end as numeric) as expansion_mrr,
    cast(case
        when closing_mrr > 0 and closing_mrr < opening_mrr then closing_mrr - opening_mrr else numeric '0'
    end as numeric) as contraction_mrr,
    cast(case when opening_mrr > 0 and closing_mrr = 0 then -opening_mrr else numeric '0' end as numeric) as churn_mrr,
    cast(closing_mrr as numeric) as closing_mrr,
    cast(reporting_closing_mrr as numeric) as reporting_closing_mrr
from compared
where opening_mrr != 0 or closing_mrr != 0
