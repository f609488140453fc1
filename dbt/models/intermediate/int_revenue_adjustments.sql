-- What was taken off revenue after it was billed. A refund that settles a credit note is that credit note and not another
-- deduction. Refunds and disputes take back tax as well, in the proportion in which the invoice had it.
with credit_notes as (
    select
        credit_notes.client_id,
        credit_notes.credit_note_id,
        credit_notes.invoice_id,
        lower(credit_notes.currency) as currency,
        coalesce(credit_notes.total_excluding_tax, credit_notes.total) as net_amount,
        credit_notes.tax_amount,
        credit_notes.effective_at,
        credit_notes.created_at,
        coalesce(credit_notes.voided_at, invoices.voided_at) as voided_at,
        credit_notes.status,
        credit_notes.refunds
    from {{ ref('stg_stripe__credit_notes') }} as credit_notes
    inner join {{ ref('stg_stripe__invoices') }} as invoices
        on invoices.client_id = credit_notes.client_id and invoices.invoice_id = credit_notes.invoice_id
    where not credit_notes.is_deleted
),

credited_refunds as (
    select distinct credit_notes.client_id, json_value(entry, '$.refund') as refund_id
    from credit_notes
    cross join unnest(json_query_array(credit_notes.refunds)) as entry
),

taken_back as (
    select
        refunds.client_id,
        'refund' as kind,
        refunds.refund_id as adjustment_id,
        charges.charge_id,
        charges.invoice_id,
        charges.customer_id,
        refunds.currency,
        refunds.amount,
        refunds.created_at as booked_at
    from {{ ref('int_refunds') }} as refunds
    inner join {{ ref('int_charges') }} as charges
        on charges.client_id = refunds.client_id and charges.charge_id = refunds.charge_id
    left join credited_refunds
        on credited_refunds.client_id = refunds.client_id and credited_refunds.refund_id = refunds.refund_id
    where credited_refunds.refund_id is null
    union all
    select
        disputes.client_id,
        'lost_dispute',
        disputes.dispute_id,
        charges.charge_id,
        charges.invoice_id,
        charges.customer_id,
        lower(disputes.currency),
        disputes.amount,
        disputes.created_at
    from {{ ref('stg_stripe__disputes') }} as disputes
    inner join {{ ref('int_charges') }} as charges
        on charges.client_id = disputes.client_id and charges.charge_id = disputes.charge_id
    where not disputes.is_deleted and disputes.status = 'lost'
),

net_of_tax as (
    select
        taken_back.client_id,
        taken_back.kind,
        taken_back.adjustment_id,
        taken_back.charge_id,
        taken_back.invoice_id,
        taken_back.customer_id,
        taken_back.currency,
        taken_back.amount,
        case
            when invoices.total > 0 and invoices.total_excluding_tax is not null then
                {{ proportion('taken_back.amount', 'invoices.total_excluding_tax', 'invoices.total') }}
            else taken_back.amount
        end as net_amount,
        taken_back.booked_at
    from taken_back
    left join {{ ref('stg_stripe__invoices') }} as invoices
        on invoices.client_id = taken_back.client_id and invoices.invoice_id = taken_back.invoice_id
    left join {{ ref('currencies') }} as currencies on currencies.currency = taken_back.currency
),

entries as (
    select
        client_id,
        'credit_note' as kind,
        credit_note_id as adjustment_id,
        cast(null as string) as charge_id,
        invoice_id,
        cast(null as string) as customer_id,
        currency,
        -net_amount as net_amount,
        -coalesce(tax_amount, numeric '0') as tax_amount,
        coalesce(effective_at, created_at) as booked_at
    from credit_notes
    union all
    select
        client_id,
        'credit_note_voided',
        credit_note_id,
        cast(null as string),
        invoice_id,
        cast(null as string),
        currency,
        net_amount,
        coalesce(tax_amount, numeric '0'),
        voided_at
    from credit_notes
    where voided_at is not null
    union all
    select
        client_id,
        kind,
        adjustment_id,
        charge_id,
        invoice_id,
        customer_id,
        currency,
        -net_amount,
        net_amount - amount,
        booked_at
    from net_of_tax
)

select
    entries.client_id,
    entries.kind,
    entries.adjustment_id,
    entries.charge_id,
    entries.invoice_id,
    entries.customer_id,
    entries.currency,
    cast(entries.net_amount as numeric) as net_amount,
    cast(entries.tax_amount as numeric) as tax_amount,
    entries.booked_at
from entries
cross join {{ ref('int_as_of') }} as moment
where entries.booked_at < moment.as_of
