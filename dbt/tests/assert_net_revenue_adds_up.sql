-- Net revenue is what was billed after discounts, billing credits and tax, less everything that was taken off, line by line and over all; and the journal, the
-- lines and the invoices say the same.
with journal as (
    select client_id, currency, sum(amount) as net_revenue
    from {{ ref('revenue') }}
    where invoice_id is not null
    group by client_id, currency
),

by_line as (
    select client_id, currency, sum(net_revenue) as net_revenue
    from {{ ref('invoice_lines') }}
    group by client_id, currency
),

by_invoice as (
    select client_id, currency, sum(net_revenue) as net_revenue
    from {{ ref('invoices') }}
    group by client_id, currency
)

select client_id, invoice_line_id as id, currency, net_revenue as found, net_amount as expected
from {{ ref('invoice_lines') }}
where net_revenue != net_amount - voided_amount - credited_amount - refunded_amount - disputed_amount
    or net_amount != gross_amount - discount_amount - billing_credit_amount - inclusive_tax_amount
union all
select journal.client_id, 'all lines', journal.currency, by_line.net_revenue, journal.net_revenue
from journal
full join by_line on by_line.client_id = journal.client_id and by_line.currency = journal.currency
where coalesce(by_line.net_revenue, numeric '0') != coalesce(journal.net_revenue, numeric '0')
union all
select journal.client_id, 'all invoices', journal.currency, by_invoice.net_revenue, journal.net_revenue
from journal
full join by_invoice on by_invoice.client_id = journal.client_id and by_invoice.currency = journal.currency
where coalesce(by_invoice.net_revenue, numeric '0') != coalesce(journal.net_revenue, numeric '0')
