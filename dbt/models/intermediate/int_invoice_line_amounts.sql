{{ config(
    materialized='incremental',
    incremental_strategy='insert_overwrite',
    partition_by={'field': 'record_date', 'data_type': 'date', 'granularity': 'month'},
    partitions=touched_partitions(['stripe_invoices', 'stripe_invoice_lines']),
    full_refresh=whole_unless_touched(),
    on_schema_change='fail',
    cluster_by=['client_id', 'invoice_id']
) }}

-- What each line of an issued invoice bills, and its share of whatever is later taken off the invoice as a whole: by its
-- net amount, among the lines that bill something. `share_from` to `share_to` is its slice of `share_of`; an invoice that
-- bills nothing gives all to its first line.
with lines as (
    select
        lines.client_id,
        lines.invoice_id,
        lines.invoice_line_id,
        lines.record_date,
        lower(invoices.currency) as currency,
        lines.amount as gross_amount,
        lines.discount_amount,
        lines.tax_amount,
        lines.inclusive_tax_amount,
        lines.amount - lines.discount_amount - lines.inclusive_tax_amount as net_amount,
        row_number() over (
            partition by lines.client_id, lines.invoice_id order by lines.invoice_line_id
        ) as position
    from {{ ref('stg_stripe__invoice_lines') }} as lines
    inner join {{ ref('stg_stripe__invoices') }} as invoices
        on invoices.client_id = lines.client_id and invoices.invoice_id = lines.invoice_id
    where not lines.is_deleted and not invoices.is_deleted and invoices.finalized_at is not null
        -- a line is in its invoice's partition
        and {{ in_touched('lines.record_date', ['stripe_invoices', 'stripe_invoice_lines']) }}
        and {{ in_touched('invoices.record_date', ['stripe_invoices', 'stripe_invoice_lines']) }}
),

weighted as (
    select
        client_id,
        invoice_id,
        invoice_line_id,
        record_date,
        currency,
        gross_amount,
        discount_amount,
        tax_amount,
        inclusive_tax_amount,
        net_amount,
        position,
        greatest(net_amount, numeric '0') as weight,
        sum(greatest(net_amount, numeric '0')) over (partition by client_id, invoice_id) as billed
    from lines
)

select
    client_id,
    invoice_id,
    invoice_line_id,
    record_date,
    currency,
    gross_amount,
    discount_amount,
    tax_amount,
    inclusive_tax_amount,
    net_amount,
    case
        when billed > 0 then
            sum(weight) over (
                partition by client_id, invoice_id order by position
                rows between unbounded preceding and current row
            ) - weight
        else case when position = 1 then numeric '0' else numeric '1' end
    end as share_from,
    case
        when billed > 0 then
            sum(weight) over (
                partition by client_id, invoice_id order by position
                rows between unbounded preceding and current row
            )
        else numeric '1'
    end as share_to,
    case when billed > 0 then billed else numeric '1' end as share_of
from weighted
