{{ config(
    partition_by={'field': 'booked_at', 'data_type': 'timestamp', 'granularity': 'month'},
    cluster_by=['client_id', 'invoice_id']
) }}

-- Revenue as a journal: every line when its invoice was issued, its reversal when the invoice was voided, and its share
-- of every credit note, refund and lost dispute. Charges without an invoice are revenue too, line or not. Nothing is ever
-- changed after the fact: what happens to an old invoice today is booked today.
with invoices as (
    select
        invoices.client_id,
        invoices.invoice_id,
        invoices.customer_id,
        invoices.finalized_at,
        invoices.voided_at
    from {{ ref('stg_stripe__invoices') }} as invoices
    where not invoices.is_deleted and invoices.finalized_at is not null
),

billed as (
    select
        lines.client_id,
        lines.invoice_id,
        lines.invoice_line_id,
        cast(null as string) as charge_id,
        invoices.customer_id,
        lines.currency,
        lines.net_amount,
        invoices.finalized_at,
        invoices.voided_at
    from {{ ref('int_invoice_line_amounts') }} as lines
    inner join invoices
        on invoices.client_id = lines.client_id and invoices.invoice_id = lines.invoice_id
),

entries as (
    select
        client_id,
        'billed' as kind,
        invoice_line_id as entry_source_id,
        invoice_id,
        invoice_line_id,
        charge_id,
        customer_id,
        currency,
        net_amount as amount,
        finalized_at as booked_at
    from billed
    union all
    select
        client_id,
        'voided',
        invoice_line_id,
        invoice_id,
        invoice_line_id,
        charge_id,
        customer_id,
        currency,
        -net_amount,
        voided_at
    from billed
    where voided_at is not null
    union all
    select
        charges.client_id,
        'charged',
        charges.charge_id,
        cast(null as string),
        cast(null as string),
        charges.charge_id,
        charges.customer_id,
        charges.currency,
        charges.amount,
        charges.created_at
    from {{ ref('int_charges') }} as charges
    where charges.invoice_id is null and charges.amount > 0
    union all
    select
        adjustments.client_id,
        adjustments.kind,
        adjustments.adjustment_id,
        adjustments.invoice_id,
        lines.invoice_line_id,
        adjustments.charge_id,
        coalesce(invoices.customer_id, adjustments.customer_id),
        adjustments.currency,
        case
            when lines.invoice_line_id is null then adjustments.net_amount
            else {{ proportion('adjustments.net_amount', 'lines.share_to', 'lines.share_of') }}
                - {{ proportion('adjustments.net_amount', 'lines.share_from', 'lines.share_of') }}
        end,
        adjustments.booked_at
    from {{ ref('int_revenue_adjustments') }} as adjustments
    left join {{ ref('int_invoice_line_amounts') }} as lines
        on lines.client_id = adjustments.client_id and lines.invoice_id = adjustments.invoice_id
    left join invoices
        on invoices.client_id = adjustments.client_id and invoices.invoice_id = adjustments.invoice_id
    left join {{ ref('currencies') }} as currencies on currencies.currency = adjustments.currency
)

select
    entries.client_id,
    entries.kind,
    entries.entry_source_id,
    coalesce(entries.invoice_line_id, '') as line_key,
    entries.invoice_id,
    entries.invoice_line_id,
    entries.charge_id,
    entries.customer_id,
    entries.currency,
    cast(entries.amount as numeric) as amount,
    entries.booked_at
from entries
cross join {{ ref('int_as_of') }} as moment
where entries.booked_at < moment.as_of
