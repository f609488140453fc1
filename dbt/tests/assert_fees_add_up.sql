-- Fee by fee or day by day, the same was taken from the balance.
with fees as (
    select client_id, currency, day, sum(amount) as amount
    from {{ ref('fees') }}
    group by client_id, currency, day
)

select days.client_id, days.currency, days.day, days.fees as fees_of_day, fees.amount
from {{ ref('balance_days') }} as days
left join fees
    on fees.client_id = days.client_id and fees.currency = days.currency and fees.day = days.day
where days.fees + coalesce(fees.amount, numeric '0') != 0
