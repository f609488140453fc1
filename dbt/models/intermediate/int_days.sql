-- Every day that a metric can be asked for: from the first month that any client reports to the end of the last one's year.
select day
from (
    select min(month) as first_month, max(month) as last_month
    from {{ ref('int_months') }}
)
cross join unnest(generate_date_array(first_month, last_day(last_month, year))) as day
