{{ config(warn_if='>0', error_if='>100') }}

-- Every refund and lost dispute that counts takes back a payment that counts: of the others cash would never hear. And no payment is
-- refunded by more than it brought.
with back as (
    select client_id, 'refund' as kind, refund_id as id, charge_id, amount
    from {{ ref('int_refunds') }}
    union all
    select client_id, 'lost_dispute', dispute_id, charge_id, amount
    from {{ ref('int_lost_disputes') }}
),

refunded as (
    select client_id, charge_id, sum(amount) as amount
    from {{ ref('int_refunds') }}
    group by client_id, charge_id
)

select back.client_id, back.kind, back.id, back.charge_id, back.amount, payments.amount as amount_of_payment
from back
left join {{ ref('payments') }} as payments
    on payments.client_id = back.client_id and payments.charge_id = back.charge_id and payments.status = 'succeeded'
where payments.charge_id is null
union all
select refunded.client_id, 'all refunds', refunded.charge_id, refunded.charge_id, refunded.amount, payments.amount
from refunded
inner join {{ ref('payments') }} as payments
    on payments.client_id = refunded.client_id and payments.charge_id = refunded.charge_id
where refunded.amount > payments.amount
