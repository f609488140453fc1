-- How each client reports: in which timezone its months close and in which currency amounts of several currencies meet.
-- The variable `reporting` decides, then the account's own currency as `clients.yml` has it; a client without either takes the one in which
-- most of its first hundred movements settled, which no later movement changes. And what share of its revenue is left when it has been
-- served.
{%- set reporting = var('reporting') %}
{%- set declared = given_currencies() %}
with movements as (
    select
        client_id,
        lower(currency) as currency,
        row_number() over (partition by client_id order by created_at, balance_transaction_id) as position
    from {{ ref('stg_stripe__balance_transactions') }}
    cross join {{ ref('int_as_of') }} as moment
    where not is_deleted and created_at < moment.as_of
),

tallies as (
    select client_id, currency, count(*) as tally, min(position) as first_position
    from movements
    where position <= 100
    group by client_id, currency
),

settlements as (
    select
        client_id,
        currency,
        row_number() over (partition by client_id order by tally desc, first_position) as rank_of_currency
    from tallies
),

clients as (
    select client_id from {{ ref('stg_stripe__customers') }}
    union distinct
    select client_id from {{ ref('stg_stripe__invoices') }}
    union distinct
    select client_id from {{ ref('stg_stripe__balance_transactions') }}
    union distinct
    select client_id from {{ ref('stg_hubspot__contacts') }}
)

select
    clients.client_id,
    case clients.client_id
    {%- for client, choice in reporting.items() if choice.timezone %}
        when '{{ client }}' then '{{ choice.timezone }}'
    {%- endfor %}
        when '' then null
        else '{{ var("reporting_timezone") }}'
    end as reporting_timezone,
    case clients.client_id
    {%- for client, choice in reporting.items() if choice.currency %}
        when '{{ client }}' then '{{ choice.currency | lower }}'
    {%- endfor %}
    {%- for client, currency in declared.items() if not reporting.get(client, {}).currency %}
        when '{{ client }}' then '{{ currency | lower }}'
    {%- endfor %}
        when '' then null
        else settlements.currency
    end as reporting_currency,
    case clients.client_id
    {%- for client, choice in reporting.items() if choice.gross_margin is defined %}
        when '{{ client }}' then numeric '{{ choice.gross_margin }}'
    {%- endfor %}
        when '' then null
        else numeric '{{ var("gross_margin") }}'
    end as gross_margin
from clients
left join settlements
    on settlements.client_id = clients.client_id and settlements.rank_of_currency = 1
