{{ config(
    partition_by={'field': 'collected_at', 'data_type': 'timestamp', 'granularity': 'month'},
    cluster_by=['client_id', 'invoice_id']
) }}

-- What was collected per invoice. Stripe's own payment records come with a later stream; until then an invoice that is
-- paid in part counts at its finalisation, the earliest moment at which money can have come in.
select
    invoices.client_id,
    invoices.invoice_id,
    invoices.customer_id,
    lower(invoices.currency) as currency,
    invoices.amount_paid,
    coalesce(invoices.paid_at, invoices.finalized_at, invoices.created_at) as collected_at
from {{ ref('stg_stripe__invoices') }} as invoices
cross join {{ ref('int_as_of') }} as moment
where invoices.amount_paid > 0
    and not invoices.is_deleted
    and coalesce(invoices.paid_at, invoices.finalized_at, invoices.created_at) < moment.as_of
