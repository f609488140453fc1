-- What a currency was worth in the client's reporting currency, day by day: the rate that Stripe settled the day's last
-- charge at, carried to the days without one. Days before the first rate take the first.
with settled as (
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

currencies as (
    select client_id, currency from settled
    union distinct
    select client_id, reporting_currency from {{ ref('int_clients') }} where reporting_currency is not null
),

-- every day on which anything can have been booked
span as (
    select client_id, min(date(created_at)) as first_date
    from {{ ref('stg_stripe__invoices') }}
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
    select days.client_id, days.currency, days.rate_date, clients.reporting_currency, settled.rate
    from days
    inner join {{ ref('int_clients') }} as clients on clients.client_id = days.client_id
    left join settled
        on settled.client_id = days.client_id
        and settled.currency = days.currency
        and settled.rate_date = days.rate_date
        and settled.recency = 1
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
    end as rate
from known
