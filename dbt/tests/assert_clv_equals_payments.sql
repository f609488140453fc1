-- The mart neither loses nor doubles cash: per client and currency it sums to what the invoices say was paid. Invoices of nobody are in
-- no person's value.
with mart as (
    select client_id, currency, sum(revenue_collected) as revenue, sum(invoices_paid) as invoices
    from {{ ref('customer_lifetime_value') }}
    group by client_id, currency
),

ledger as (
    select
        billed.client_id,
        lower(billed.currency) as currency,
        sum(billed.amount_paid) as revenue,
        count(*) as invoices
    from {{ ref('stg_stripe__invoices') }} as billed
    cross join {{ ref('int_as_of') }} as moment
    where not billed.is_deleted
        and billed.customer_id is not null
        and billed.amount_paid > 0
        and coalesce(billed.paid_at, billed.finalized_at, billed.created_at) < moment.as_of
    group by billed.client_id, lower(billed.currency)
)

select
    coalesce(mart.client_id, ledger.client_id) as client_id,
    coalesce(mart.currency, ledger.currency) as currency,
    mart.revenue as revenue_in_mart,
    ledger.revenue as revenue_in_invoices,
    mart.invoices as invoices_in_mart,
    ledger.invoices as invoices_in_invoices
from mart
full join ledger
    on ledger.client_id = mart.client_id and ledger.currency = mart.currency
where coalesce(mart.revenue, numeric '0') != coalesce(ledger.revenue, numeric '0')
    or coalesce(mart.invoices, 0) != coalesce(ledger.invoices, 0)
