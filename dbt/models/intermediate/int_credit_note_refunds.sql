-- Which part of which refund a credit note settles. Notes of API versions before 2025-03-31 name one refund without an amount: it
-- pays out what the note gives back and nothing else does. A void note settles nothing.
with credit_notes as (
    select
        client_id,
        credit_note_id,
        lower(currency) as currency,
        refund_id,
        refunds,
        coalesce(post_payment_amount, amount) - coalesce(out_of_band_amount, numeric '0') as payable_amount,
        coalesce(effective_at, created_at) as settled_at
    from {{ ref('stg_stripe__credit_notes') }}
    where not is_deleted and voided_at is null and coalesce(status, 'issued') != 'void'
),

settled as (
    select
        credit_notes.client_id,
        credit_notes.credit_note_id,
        json_value(entry, '$.refund') as refund_id,
        {{ major_units("cast(json_value(entry, '$.amount_refunded') as int64)") }} as amount,
        credit_notes.settled_at
    from credit_notes
    cross join unnest(json_query_array(credit_notes.refunds)) as entry
    left join {{ ref('currencies') }} as currencies on currencies.currency = credit_notes.currency
    where json_value(entry, '$.refund') is not null and json_value(entry, '$.amount_refunded') is not null
    union all
    select client_id, credit_note_id, refund_id, payable_amount, settled_at
    from credit_notes
    where refund_id is not null
        and json_value(json_query_array(refunds)[safe_offset(0)], '$.amount_refunded') is null
)

select
    settled.client_id,
    settled.credit_note_id,
    settled.refund_id,
    cast(sum(settled.amount) as numeric) as settled_amount
from settled
cross join {{ ref('int_as_of') }} as moment
where settled.settled_at < moment.as_of
group by settled.client_id, settled.credit_note_id, settled.refund_id
