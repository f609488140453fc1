-- A payout's own record and the movement of the balance by which it left are two documents of one amount.
select payouts.client_id, payouts.payout_id, payouts.currency, payouts.amount, records.currency as said_currency, records.amount as said_amount
from {{ ref('payouts') }} as payouts
inner join {{ ref('stg_stripe__payouts') }} as records
    on records.client_id = payouts.client_id and records.payout_id = payouts.payout_id
where records.amount != payouts.amount or lower(records.currency) != payouts.currency
