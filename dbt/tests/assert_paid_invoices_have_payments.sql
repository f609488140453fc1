{{ config(severity='warn') }}

-- Of a paid invoice some payment is known. The others were marked as paid by hand, which is fine and in no cash, or their payments were lost.
select client_id, invoice_id, currency, paid_at, marked_paid_amount
from {{ ref('invoices') }}
where marked_paid_amount > 0
