{{ config(cluster_by=['client_id']) }}

-- What winning customers cost, beside who was won: people are counted once, in the month of their first recurring revenue in
-- any currency.
with won as (
    select client_id, first_month as month, count(*) as new_persons
    from (
        select client_id, person_key, min(first_month) as first_month
        from {{ ref('mrr_movements') }}
        group by client_id, person_key
    )
    group by client_id, first_month
),

-- a month with an amount that can't be converted has no cost, rather than a part of it
spent as (
    select
        costs.client_id,
        date_trunc(costs.month, month) as month,
        case
            when countif(rates.rate is null) = 0
                then sum({{ rounded_money('costs.amount * rates.rate', 'reporting') }})
        end as acquisition_cost
    from {{ ref('acquisition_costs') }} as costs
    cross join {{ ref('int_as_of') }} as moment
    left join {{ ref('int_exchange_rates') }} as rates
        on rates.client_id = costs.client_id
        and rates.currency = lower(costs.currency)
        and rates.rate_date = least(last_day(costs.month, month), date(moment.as_of))
    left join {{ ref('currencies') }} as reporting on reporting.currency = rates.reporting_currency
    group by costs.client_id, date_trunc(costs.month, month)
),

-- money is spent before the first customer pays
months as (
    select client_id, month
    from {{ ref('int_months') }}
    union distinct
    select spent.client_id, spent.month
    from spent
    inner join {{ ref('int_clients') }} as clients on clients.client_id = spent.client_id
    cross join {{ ref('int_as_of') }} as moment
    where {{ month_start('spent.month', 'clients.reporting_timezone') }} < moment.as_of
)

select
    months.client_id,
    months.month,
    {{ month_start('date_add(months.month, interval 1 month)', 'clients.reporting_timezone') }} <= moment.as_of as is_closed,
    clients.reporting_currency as currency,
    coalesce(won.new_persons, 0) as new_persons,
    cast(spent.acquisition_cost as numeric) as acquisition_cost
from months
inner join {{ ref('int_clients') }} as clients on clients.client_id = months.client_id
cross join {{ ref('int_as_of') }} as moment
left join won on won.client_id = months.client_id and won.month = months.month
left join spent on spent.client_id = months.client_id and spent.month = months.month
