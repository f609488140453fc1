{{ config(severity='warn') }}

-- More was taken off an invoice than it billed. Possible where a payment was refunded and disputed as well, or where a credit note was
-- written for a dispute without Stripe knowing what for; otherwise something was taken off twice.
select client_id, invoice_id, currency, net_amount, credited_amount, refunded_amount, disputed_amount, net_revenue
from {{ ref('invoices') }}
where net_revenue < 0 and net_amount >= 0
