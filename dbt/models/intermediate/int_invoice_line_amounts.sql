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
-- bills nothing gives all to its first line. Shipping is no line of Stripe's: it gets one of its own, so that it is billed, voided
-- and refunded like the others.
with invoices as (
    select
        client_id,
        invoice_id,
        record_date,
        lower(currency) as currency,
        amount_shipping,
        shipping_subtotal,
        shipping_tax,
        shipping_total
    from {{ ref('stg_stripe__invoices') }}
    where not is_deleted and finalized_at is not null
        and {{ in_touched('record_date', ['stripe_invoices', 'stripe_invoice_lines']) }}
),

billed_lines as (
    select
        lines.client_id,
        lines.invoice_id,
        lines.invoice_line_id,
        lines.record_date,
        invoices.currency,
        lines.amount as gross_amount,
        lines.discount_amount,
        lines.billing_credit_amount,
        lines.tax_amount,
        lines.inclusive_tax_amount
    from {{ ref('stg_stripe__invoice_lines') }} as lines
    inner join invoices
        on invoices.client_id = lines.client_id and invoices.invoice_id = lines.invoice_id
    where not lines.is_deleted
        -- a line is in its invoice's partition
        and {{ in_touched('lines.record_date', ['stripe_invoices', 'stripe_invoice_lines']) }}
    union all
    -- what of the tax on shipping isn't on top of its cost is within it
    select
        client_id,
        invoice_id,
        concat(invoice_id, '_shipping'),
        record_date,
        currency,
        coalesce(shipping_subtotal, amount_shipping),
        numeric '0',
        numeric '0',
        coalesce(shipping_tax, numeric '0'),
        coalesce(shipping_tax - (shipping_total - shipping_subtotal), numeric '0')
    from invoices
    where coalesce(shipping_subtotal, amount_shipping) != 0
),

lines as (
    select
        client_id,
        invoice_id,
        invoice_line_id,
        record_date,
        currency,
        gross_amount,
        discount_amount,
        billing_credit_amount,
        tax_amount,
        inclusive_tax_amount,
        gross_amount - discount_amount - billing_credit_amount - inclusive_tax_amount as net_amount,
        row_number() over (partition by client_id, invoice_id order by invoice_line_id) as position
    from billed_lines
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
        billing_credit_amount,
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
    cast(gross_amount as numeric) as gross_amount,
    cast(discount_amount as numeric) as discount_amount,
    cast(billing_credit_amount as numeric) as billing_credit_amount,
    cast(tax_amount as numeric) as tax_amount,
    cast(inclusive_tax_amount as numeric) as inclusive_tax_amount,
    cast(net_amount as numeric) as net_amount,
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
