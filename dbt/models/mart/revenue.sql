{{ config(
    partition_by={'field': 'booked_on', 'data_type': 'date', 'granularity': 'month'},
    cluster_by=['client_id', 'currency']
) }}

select
    entries.client_id,
    entries.kind,
    entries.entry_source_id,
    entries.line_key,
    entries.invoice_id,
    entries.invoice_line_id,
    entries.charge_id,
    entries.customer_id,
    customers.person_key,
    lines.product_id,
    lines.subscription_id,
    entries.booked_at,
    date(entries.booked_at, clients.reporting_timezone) as booked_on,
    entries.currency,
    entries.amount,
    coalesce(refunds.is_pending, false) as is_pending,
    rates.reporting_currency,
    rates.rate as reporting_rate,
    {{ rounded_money('entries.amount * rates.rate', 'reporting') }} as reporting_amount
from {{ ref('int_revenue_entries') }} as entries
inner join {{ ref('int_clients') }} as clients on clients.client_id = entries.client_id
left join {{ ref('int_customer_persons') }} as customers
    on customers.client_id = entries.client_id and customers.customer_id = entries.customer_id
left join {{ ref('stg_stripe__invoice_lines') }} as lines
    on lines.client_id = entries.client_id
    and lines.invoice_id = entries.invoice_id
    and lines.invoice_line_id = entries.invoice_line_id
left join {{ ref('int_refunds') }} as refunds
    on refunds.client_id = entries.client_id
    and refunds.refund_id = entries.entry_source_id
    and entries.kind in ('refund', 'refund_voided')
left join {{ ref('int_exchange_rates') }} as rates
    on rates.client_id = entries.client_id
    and rates.currency = entries.currency
    and rates.rate_date = date(entries.booked_at)
left join {{ ref('currencies') }} as reporting on reporting.currency = rates.reporting_currency
