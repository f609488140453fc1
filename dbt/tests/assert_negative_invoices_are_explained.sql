-- A total below zero is right only if something was given back. Explanations: negative lines (prorated unused time and
-- credit items) that reach down to the total, credit notes issued before payment, or a customer balance that took the
-- amount over. Anything else means that lines are missing or a total is wrong.
with given_back as (
    select
        client_id,
        invoice_id,
        sum(case when amount < 0 then amount else numeric '0' end) as amount
    from {{ ref('stg_stripe__invoice_lines') }}
    where not is_deleted
    group by client_id, invoice_id
)

select
    invoices.client_id,
    invoices.invoice_id,
    invoices.currency,
    invoices.total,
    given_back.amount as given_back_by_lines,
    invoices.pre_payment_credit_notes_amount,
    invoices.starting_balance,
    invoices.ending_balance
from {{ ref('stg_stripe__invoices') }} as invoices
left join given_back
    on given_back.client_id = invoices.client_id and given_back.invoice_id = invoices.invoice_id
where invoices.total < 0
    and not invoices.is_deleted
    and coalesce(given_back.amount, numeric '0') > coalesce(invoices.total_excluding_tax, invoices.total)
    and coalesce(invoices.pre_payment_credit_notes_amount, numeric '0') < -invoices.total
    and coalesce(invoices.ending_balance - invoices.starting_balance, numeric '0') > invoices.total
