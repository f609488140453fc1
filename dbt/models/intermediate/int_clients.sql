-- How each client reports: in which timezone its months close and in which currency amounts of several currencies meet.
-- Unless the variable `reporting` says otherwise, that is the currency in which the account settles at the moment of the run. And what share of its
-- revenue is left when it has been served.
{%- set reporting = var('reporting') %}
with settlements as (
    select
        client_id,
        lower(currency) as currency,
        row_number() over (
            partition by client_id order by created_at desc, balance_transaction_id desc
        ) as recency
    from {{ ref('stg_stripe__balance_transactions') }}
    cross join {{ ref('int_as_of') }} as moment
    where not is_deleted and created_at < moment.as_of
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
    on settlements.client_id = clients.client_id and settlements.recency = 1
