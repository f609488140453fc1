{{ config(cluster_by=['client_id', 'currency']) }}

{%- set longest = "numeric '" ~ var('longest_lifetime_months') ~ "'" %}
-- What the projection rests on, per client and currency: how many leave a month, hence how long they stay, what they bring
-- now and what winning one cost. Ratios are rounded where they are made, so that everybody who multiplies gets the same.
with numbered as (
    select client_id, month, row_number() over (partition by client_id order by month desc) as recency
    from {{ ref('int_months') }}
    where is_closed
),

recent as (
    select client_id, month
    from numbered
    where recency <= {{ var('churn_window_months') }}
),

last_months as (
    select client_id, max(month) as month
    from {{ ref('int_months') }}
    group by client_id
),

counted as (
    select
        movements.client_id,
        movements.currency,
        countif(recent.month is not null and movements.opening_mrr > 0) as opening_persons,
        countif(recent.month is not null and movements.movement = 'churn') as churned_persons,
        countif(last_months.month is not null and movements.closing_mrr > 0) as persons,
        sum(case when last_months.month is not null then movements.closing_mrr else numeric '0' end) as mrr,
        case
            when countif(last_months.month is not null and movements.reporting_closing_mrr is null) = 0
                then sum(case when last_months.month is not null then movements.reporting_closing_mrr else numeric '0' end)
        end as reporting_mrr
    from {{ ref('mrr_movements') }} as movements
    left join recent on recent.client_id = movements.client_id and recent.month = movements.month
    left join last_months on last_months.client_id = movements.client_id and last_months.month = movements.month
    group by movements.client_id, movements.currency
),

-- of months without a known cost neither the cost nor who was won counts; the window may begin before anybody paid
acquired as (
    select
        months.client_id,
        sum(months.acquisition_cost) as cost,
        sum(months.new_persons) as new_persons
    from {{ ref('acquisition') }} as months
    inner join numbered as newest on newest.client_id = months.client_id and newest.recency = 1
    where months.acquisition_cost is not null
        and months.month <= newest.month
        and date_diff(newest.month, months.month, month) < {{ var('churn_window_months') }}
    group by months.client_id
),

rated as (
    select
        counted.client_id,
        counted.currency,
        counted.opening_persons,
        counted.churned_persons,
        counted.persons,
        counted.mrr,
        counted.reporting_mrr,
        clients.reporting_currency,
        clients.gross_margin,
        cast(round(counted.churned_persons * 1000000 / nullif(counted.opening_persons, 0)) as numeric) * numeric '0.000001'
            as monthly_churn_rate,
        cast(round(counted.opening_persons * 100 / nullif(counted.churned_persons, 0)) as numeric) * numeric '0.01'
            as months_by_churn,
        cast(round({{ minor_units('counted.mrr') }} / nullif(counted.persons, 0)) as numeric) * {{ major_per_minor() }} as arpa,
        cast(round({{ minor_units('acquired.cost', 'reporting') }} / nullif(acquired.new_persons, 0)) as numeric)
            * {{ major_per_minor('reporting') }} as acquisition_cost_per_person
    from counted
    inner join {{ ref('int_clients') }} as clients on clients.client_id = counted.client_id
    left join acquired on acquired.client_id = counted.client_id
    left join {{ ref('currencies') }} as currencies on currencies.currency = counted.currency
    left join {{ ref('currencies') }} as reporting on reporting.currency = clients.reporting_currency
)

select
    client_id,
    currency,
    opening_persons,
    churned_persons,
    cast(monthly_churn_rate as numeric) as monthly_churn_rate,
    cast(case
        when opening_persons > 0
            then least(coalesce(months_by_churn, {{ longest }}), {{ longest }})
    end as numeric) as expected_lifetime_months,
    opening_persons > 0 and coalesce(months_by_churn > {{ longest }}, true) as is_lifetime_capped,
    gross_margin,
    persons,
    cast(mrr as numeric) as mrr,
    cast(arpa as numeric) as arpa,
    reporting_currency,
    cast(acquisition_cost_per_person as numeric) as acquisition_cost_per_person,
    {{ payback_months('acquisition_cost_per_person * persons', 'gross_margin', 'reporting_mrr') }} as payback_months
from rated
