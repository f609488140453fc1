-- Opening plus movements is closing, one month's closing is the next one's opening, and all closings of a month are its MRR.
with sums as (
    select client_id, currency, month, sum(opening_mrr) as opening_mrr, sum(closing_mrr) as closing_mrr
    from {{ ref('mrr_movements') }}
    group by client_id, currency, month
),

months as (
    select recurring.client_id, recurring.currency, recurring.month, sum(recurring.mrr) as mrr
    from {{ ref('mrr') }} as recurring
    group by recurring.client_id, recurring.currency, recurring.month
)

select client_id, person_key as id, currency, month, closing_mrr as found,
    opening_mrr + new_mrr + reactivation_mrr + expansion_mrr + contraction_mrr + churn_mrr as expected
from {{ ref('mrr_movements') }}
where closing_mrr != opening_mrr + new_mrr + reactivation_mrr + expansion_mrr + contraction_mrr + churn_mrr
union all
select later.client_id, 'opening', later.currency, later.month, later.opening_mrr, coalesce(earlier.closing_mrr, numeric '0')
from sums as later
left join sums as earlier
    on earlier.client_id = later.client_id
    and earlier.currency = later.currency
    and earlier.month = date_sub(later.month, interval 1 month)
where later.opening_mrr != coalesce(earlier.closing_mrr, numeric '0')
union all
select
    coalesce(months.client_id, sums.client_id),
    'closing',
    coalesce(months.currency, sums.currency),
    coalesce(months.month, sums.month),
    coalesce(sums.closing_mrr, numeric '0'),
    coalesce(months.mrr, numeric '0')
from months
full join sums
    on sums.client_id = months.client_id and sums.currency = months.currency and sums.month = months.month
where coalesce(months.mrr, numeric '0') != coalesce(sums.closing_mrr, numeric '0')
