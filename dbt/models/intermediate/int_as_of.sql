-- Named here so that the lineage is the same whether or not the run names its moment:
-- depends_on: {{ ref('stg_stripe__invoices') }}
-- depends_on: {{ ref('stg_stripe__subscriptions') }}
{%- if given_as_of() %}
select {{ moment_literal(given_as_of()) }} as as_of, {{ known_at() }} as known_at
{%- else %}
select max(observed_at) as as_of, {{ known_at() }} as known_at
from (
    select observed_at from {{ ref('stg_stripe__invoices') }}
    union all
    select observed_at from {{ ref('stg_stripe__subscriptions') }}
)
{%- endif %}
