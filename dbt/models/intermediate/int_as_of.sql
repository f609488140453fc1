{%- if given_as_of() %}
select {{ moment_literal(given_as_of()) }} as as_of, {{ known_at() }} as known_at
{%- else %}
-- Up to then billing is complete: what was observed later (an invoice paid this morning) is known before the records that belong to it.
with covered as (
    select client_id, table_name, max(window_end) as until
    from `{{ target.project }}`.ops.ledger
    where kind = 'load'
        and table_name in ('stripe_charges', 'stripe_invoices', 'stripe_subscriptions')
        and loaded_at <= coalesce({{ known_at() }}, loaded_at)
    group by client_id, table_name
),

complete as (
    select min(until) as until
    from covered
    group by client_id
)

select max(until) as as_of, {{ known_at() }} as known_at
from complete
{%- endif %}
