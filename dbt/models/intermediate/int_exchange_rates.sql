-- What a currency was worth in the client's reporting currency, day by day: the rate that Stripe settled the day's last
-- charge at, carried to the days without one. Days before the first rate take the first. Currencies that Stripe has never
-- converted take the rates of the seed.
with charged as (
    select
        charges.client_id,
        charges.currency,
        date(charges.created_at) as rate_date,
        charges.exchange_rate as rate,
        row_number() over (
            partition by charges.client_id, charges.currency, date(charges.created_at)
            order by charges.created_at desc, charges.charge_id desc
        ) as recency
    from {{ ref('int_charges') }} as charges
    inner join {{ ref('int_clients') }} as clients
        on clients.client_id = charges.client_id and clients.reporting_currency = charges.settlement_currency
    where charges.exchange_rate is not null and charges.currency != charges.settlement_currency
),

settled as (
    select client_id, currency, rate_date, rate
    from charged
    where recency = 1
),

given as (
    select seed.client_id, lower(seed.currency) as currency, seed.rate_date, seed.rate
    from {{ ref('exchange_rates') }} as seed
    inner join {{ ref('int_clients') }} as clients
        on clients.client_id = seed.client_id and clients.reporting_currency = lower(seed.reporting_currency)
    cross join {{ ref('int_as_of') }} as moment
    left join (select distinct client_id, currency from settled) as known
        on known.client_id = seed.client_id and known.currency = lower(seed.currency)
    where known.currency is null and seed.rate_date <= date(moment.as_of)
),

rates as (
    select client_id, currency, rate_date, rate, 'stripe' as source from settled
    union all
    select client_id, currency, rate_date, rate, 'seed' from given
),

currencies as (
    select client_id, currency from rates
    union distinct
    select client_id, reporting_currency from {{ ref('int_clients') }} where reporting_currency is not null
),

-- every day on which anything can have been booked or spent, or that the seed has a rate of
span as (
    select client_id, min(first_date) as first_date
    from (
        select client_id, date(created_at) as first_date from {{ ref('stg_stripe__invoices') }}
        union all
        select client_id, date(created_at) from {{ ref('int_charges') }}
        union all
        select client_id, rate_date from given
        union all
        select costs.client_id, last_day(costs.month, month) from {{ ref('acquisition_costs') }} as costs
    )
    group by client_id
),

days as (
    select currencies.client_id, currencies.currency, rate_date
    from currencies
    inner join span on span.client_id = currencies.client_id
    cross join {{ ref('int_as_of') }} as moment
    cross join unnest(generate_date_array(
        least(date_sub(span.first_date, interval 1 day), date(moment.as_of)), date(moment.as_of)
    )) as rate_date
),

known as (
    select days.client_id, days.currency, days.rate_date, clients.reporting_currency, rates.rate, rates.source
    from days
    inner join {{ ref('int_clients') }} as clients on clients.client_id = days.client_id
    left join rates
        on rates.client_id = days.client_id
        and rates.currency = days.currency
        and rates.rate_date = days.rate_date
)

select
    client_id,
    currency,
    rate_date,
    reporting_currency,
    case
        when currency = reporting_currency then numeric '1'
        else coalesce(
            last_value(rate ignore nulls) over (
                partition by client_id, currency order by rate_date
                rows between unbounded preceding and current row
            ),
            first_value(rate ignore nulls) over (
                partition by client_id, currency order by rate_date
                rows between current row and unbounded following
            )
        )
    end as rate,
    case
        when currency = reporting_currency then 'none'
        else max(source) over (partition by client_id, currency)
    end as rate_source
from known
