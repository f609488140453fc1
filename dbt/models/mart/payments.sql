{{ config(
    partition_by={'field': 'paid_on', 'data_type': 'date', 'granularity': 'month'},
    cluster_by=['client_id', 'currency']
) }}

-- Charges, and payments of invoices that went past Stripe's own charges: bank transfers and the like have no fee here.
with refunded as (
    select
        client_id,
        charge_id,
        sum(amount) as amount,
        sum(case when is_pending then amount else numeric '0' end) as pending_amount
    from {{ ref('int_refunds') }}
    group by client_id, charge_id
),

disputed as (
    select client_id, charge_id, sum(amount) as amount
    from {{ ref('int_lost_disputes') }}
    group by client_id, charge_id
),

-- money that a credit note gives back past Stripe, with or without a record of how
credited as (
    select
        credit_notes.client_id,
        credit_notes.invoice_id,
        sum(coalesce(credit_notes.out_of_band_amount, numeric '0') + credit_notes.outside_refunded_amount) as amount
    from {{ ref('stg_stripe__credit_notes') }} as credit_notes
    cross join {{ ref('int_as_of') }} as moment
    where not credit_notes.is_deleted
        and coalesce(credit_notes.status, 'issued') != 'void'
        and credit_notes.created_at < moment.as_of
    group by credit_notes.client_id, credit_notes.invoice_id
),

collected as (
    select
        charges.client_id,
        charges.charge_id as payment_id,
        'charge' as kind,
        charges.status,
        charges.created_at as paid_at,
        charges.charge_id,
        charges.invoice_id,
        charges.customer_id,
        charges.currency,
        charges.amount_requested,
        charges.amount,
        coalesce(refunded.amount, numeric '0') as refunded_amount,
        coalesce(refunded.pending_amount, numeric '0') as pending_refund_amount,
        coalesce(disputed.amount, numeric '0') as disputed_amount,
        charges.settlement_currency,
        charges.settled_amount,
        charges.fee,
        charges.exchange_rate,
        charges.failure_code,
        charges.payment_method_type,
        charges.card_brand,
        charges.card_country
    from {{ ref('int_charges') }} as charges
    left join refunded
        on refunded.client_id = charges.client_id and refunded.charge_id = charges.charge_id
    left join disputed
        on disputed.client_id = charges.client_id and disputed.charge_id = charges.charge_id
    union all
    select
        payments.client_id,
        payments.invoice_payment_id,
        'outside',
        'succeeded',
        payments.paid_at,
        cast(null as string),
        payments.invoice_id,
        invoices.customer_id,
        lower(payments.currency),
        payments.amount_paid,
        payments.amount_paid,
        numeric '0',
        numeric '0',
        numeric '0',
        cast(null as string),
        cast(null as numeric),
        cast(null as numeric),
        cast(null as numeric),
        cast(null as string),
        cast(null as string),
        cast(null as string),
        cast(null as string)
    from {{ ref('stg_stripe__invoice_payments') }} as payments
    cross join {{ ref('int_as_of') }} as moment
    left join {{ ref('stg_stripe__invoices') }} as invoices
        on invoices.client_id = payments.client_id and invoices.invoice_id = payments.invoice_id
    where not payments.is_deleted
        and payments.status = 'paid'
        and payments.payment_record_id is not null
        and payments.paid_at < moment.as_of
),

-- it goes against one payment of the invoice, the first that came past Stripe as well if there is one
paid_back as (
    select
        collected.client_id,
        collected.payment_id,
        credited.amount,
        row_number() over (
            partition by collected.client_id, collected.invoice_id
            order by collected.kind = 'charge', collected.paid_at, collected.payment_id
        ) as position
    from collected
    inner join credited
        on credited.client_id = collected.client_id and credited.invoice_id = collected.invoice_id
    where collected.status = 'succeeded'
),

reduced as (
    select
        collected.client_id,
        collected.payment_id,
        collected.refunded_amount + coalesce(paid_back.amount, numeric '0') as refunded_amount
    from collected
    left join paid_back
        on paid_back.client_id = collected.client_id
        and paid_back.payment_id = collected.payment_id
        and paid_back.position = 1
)

select
    collected.client_id,
    collected.payment_id,
    collected.kind,
    collected.status,
    collected.paid_at,
    date(collected.paid_at, clients.reporting_timezone) as paid_on,
    collected.charge_id,
    collected.invoice_id,
    collected.customer_id,
    customers.person_key,
    collected.currency,
    collected.amount_requested,
    collected.amount,
    cast(reduced.refunded_amount as numeric) as refunded_amount,
    cast(collected.pending_refund_amount as numeric) as pending_refund_amount,
    collected.disputed_amount,
    cast(collected.amount - reduced.refunded_amount - collected.disputed_amount as numeric) as net_amount,
    collected.settlement_currency,
    collected.settled_amount,
    collected.fee,
    cast(collected.settled_amount - collected.fee as numeric) as settled_net,
    collected.exchange_rate,
    collected.failure_code,
    collected.payment_method_type,
    collected.card_brand,
    collected.card_country
from collected
inner join reduced
    on reduced.client_id = collected.client_id and reduced.payment_id = collected.payment_id
inner join {{ ref('int_clients') }} as clients on clients.client_id = collected.client_id
left join {{ ref('int_customer_persons') }} as customers
    on customers.client_id = collected.client_id and customers.customer_id = collected.customer_id
