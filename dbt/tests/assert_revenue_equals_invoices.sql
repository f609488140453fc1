-- The lines of an issued invoice and its shipping come to its total without tax: nothing was lost between the lines and the document.
select
    invoices.client_id,
    invoices.invoice_id,
    invoices.currency,
    invoices.net_amount,
    documents.total_excluding_tax
from {{ ref('invoices') }} as invoices
inner join {{ ref('stg_stripe__invoices') }} as documents
    on documents.client_id = invoices.client_id and documents.invoice_id = invoices.invoice_id
cross join {{ ref('int_as_of') }} as moment
where invoices.issued_at < moment.as_of
    and invoices.net_amount != documents.total_excluding_tax
