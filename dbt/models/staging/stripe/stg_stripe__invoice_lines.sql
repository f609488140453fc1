select
    records.client_id,
    records.invoice_id,
    records.id as invoice_line_id,
    records._record_date as record_date,
    records.invoice_number,
    records.invoice_created as invoice_created_at,
    records.invoice_status,
    records.customer_id,
    records.customer_email,
    records.currency,
    {{ major_units('records.amount') }} as amount,
    {{ major_units('records.subtotal') }} as subtotal,
    records.description,
    coalesce(safe_cast(records.quantity_decimal as numeric), cast(records.quantity as numeric)) as quantity,
    {{ major_units('safe_cast(records.unit_amount_decimal as numeric)') }} as unit_amount,
    records.price_id,
    records.product_id,
    case records.line_type
        when 'subscription' then 'subscription_item_details'
        when 'invoiceitem' then 'invoice_item_details'
        else records.line_type
    end as line_type,
    records.subscription_id,
    records.subscription_item_id,
    records.invoice_item_id,
    records.proration as is_proration,
    records.credited_invoice_id,
    records.credited_line_ids,
    records.period_start,
    records.period_end,
    records.discountable as is_discountable,
    records.discounts,
    {{ major_units(summed_amounts('records.discount_amounts')) }} as discount_amount,
    {{ major_units(billing_credits('records.pretax_credit_amounts')) }} as billing_credit_amount,
    {{ major_units(summed_amounts('records.taxes')) }} as tax_amount,
    {{ major_units(inclusive_taxes('records.taxes')) }} as inclusive_tax_amount,
    coalesce(not records.livemode, false) as is_test_mode,
    records.metadata,
    records._deleted_at is not null as is_deleted,
    records._deleted_at as deleted_at,
    records._observed_at as observed_at
from {{ as_known('stripe', 'stripe_invoice_lines') }} as records
left join {{ ref('currencies') }} as currencies on currencies.currency = lower(records.currency)
