-- The months that a client reports, from its first paid subscription or invoice to the moment of the run. A month ends
-- when it ends in the client's timezone; the running one ends, for now, at the moment of the run.
with beginnings as (
    select client_id, min(paid_from) as began_at
    from (
        select client_id, paid_from from {{ ref('int_subscription_terms') }}
        union all
        select client_id, finalized_at from {{ ref('stg_stripe__invoices') }} where finalized_at is not null
    )
    group by client_id
),

months as (
    select clients.client_id, clients.reporting_timezone, month
    from beginnings
    inner join {{ ref('int_clients') }} as clients on clients.client_id = beginnings.client_id
    cross join {{ ref('int_as_of') }} as moment
    cross join unnest(generate_date_array(
        date(date_trunc(date(beginnings.began_at, clients.reporting_timezone), month)),
        date(timestamp_sub(moment.as_of, interval 1 microsecond), clients.reporting_timezone),
        interval 1 month
    )) as month
)

select
    months.client_id,
    months.month,
    {{ month_start('months.month', 'months.reporting_timezone') }} as starts_at,
    least(
        {{ month_start('date_add(months.month, interval 1 month)', 'months.reporting_timezone') }}, moment.as_of
    ) as ends_at,
    {{ month_start('date_add(months.month, interval 1 month)', 'months.reporting_timezone') }} <= moment.as_of as is_closed
from months
cross join {{ ref('int_as_of') }} as moment
