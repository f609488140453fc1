-- What was taken off revenue after it was billed. The part of a refund that settles a credit note is that credit note and not another
-- deduction. Refunds and disputes take back tax as well, in the proportion in which the invoice had it. A void takes back all of the
-- invoice, so it gives back what had been taken off by then, and nothing is taken off afterwards.
with credit_notes as (
    select
        credit_notes.client_id,
        credit_notes.credit_note_id,
        credit_notes.invoice_id,
        lower(credit_notes.currency) as currency,
        coalesce(credit_notes.total_excluding_tax, credit_notes.total) as net_amount,
        coalesce(credit_notes.tax_amount, numeric '0') as tax_amount,
        coalesce(credit_notes.effective_at, credit_notes.created_at) as booked_at,
        coalesce(credit_notes.voided_at, invoices.voided_at) as voided_at
    from {{ ref('stg_stripe__credit_notes') }} as credit_notes
    inner join {{ ref('stg_stripe__invoices') }} as invoices
        on invoices.client_id = credit_notes.client_id and invoices.invoice_id = credit_notes.invoice_id
    where not credit_notes.is_deleted
),

settled as (
    select client_id, refund_id, sum(settled_amount) as amount
    from {{ ref('int_credit_note_refunds') }}
    group by client_id, refund_id
),

taken_back as (
    select
        refunds.client_id,
        'refund' as kind,
        refunds.refund_id as adjustment_id,
        refunds.charge_id,
        refunds.currency,
        refunds.amount - coalesce(settled.amount, numeric '0') as amount,
        refunds.created_at as booked_at
    from {{ ref('int_refunds') }} as refunds
    left join settled
        on settled.client_id = refunds.client_id and settled.refund_id = refunds.refund_id
    where refunds.amount > coalesce(settled.amount, numeric '0')
    union all
    select client_id, 'lost_dispute', dispute_id, charge_id, currency, amount, created_at
    from {{ ref('int_lost_disputes') }}
),

net_of_tax as (
    select
        taken_back.client_id,
        taken_back.kind,
        taken_back.adjustment_id,
        charges.charge_id,
        charges.invoice_id,
        charges.customer_id,
        taken_back.currency,
        taken_back.amount,
        case
            when invoices.total > 0 and invoices.total_excluding_tax is not null then
                {{ proportion('taken_back.amount', 'invoices.total_excluding_tax', 'invoices.total') }}
            else taken_back.amount
        end as net_amount,
        taken_back.booked_at,
        invoices.voided_at
    from taken_back
    inner join {{ ref('int_charges') }} as charges
        on charges.client_id = taken_back.client_id and charges.charge_id = taken_back.charge_id
    left join {{ ref('stg_stripe__invoices') }} as invoices
        on invoices.client_id = charges.client_id and invoices.invoice_id = charges.invoice_id
    left join {{ ref('currencies') }} as currencies on currencies.currency = taken_back.currency
),

taken_off as (
    select
        client_id,
        'credit_note' as kind,
        credit_note_id as adjustment_id,
        cast(null as string) as charge_id,
        invoice_id,
        cast(null as string) as customer_id,
        currency,
        net_amount,
        tax_amount,
        booked_at,
        voided_at
    from credit_notes
    union all
    select
        client_id,
        kind,
        adjustment_id,
        charge_id,
        invoice_id,
        customer_id,
        currency,
        net_amount,
        amount - net_amount,
        booked_at,
        voided_at
    from net_of_tax
    where voided_at is null or booked_at < voided_at
),

entries as (
    select
        client_id,
        kind,
        adjustment_id,
        charge_id,
        invoice_id,
        customer_id,
        currency,
        -net_amount as net_amount,
        -tax_amount as tax_amount,
        booked_at
    from taken_off
    union all
    select
        client_id,
        concat(kind, '_voided'),
        adjustment_id,
        charge_id,
        invoice_id,
        customer_id,
        currency,
        net_amount,
        tax_amount,
        voided_at
    from taken_off
    where voided_at is not null
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
