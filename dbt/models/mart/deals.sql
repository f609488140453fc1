{{ config(cluster_by=['client_id', 'deal_id']) }}

-- An edge to a contact that was merged away since leads to the one that is left: the deal itself was not touched, so it
-- is not read again.
with links as (
    select distinct
        edges.client_id,
        edges.deal_id,
        coalesce(survivors.contact_id, edges.contact_id) as contact_id
    from {{ ref('stg_hubspot__deal_contacts') }} as edges
    left join {{ ref('int_surviving_contacts') }} as survivors
        on survivors.client_id = edges.client_id and survivors.record_id = edges.contact_id
    where not edges.is_deleted
),

-- The person of a deal is that of its first contact that is still there: by id, so that it is the same in every run.
contacts as (
    select
        links.client_id,
        links.deal_id,
        count(*) as contacts,
        min_by(
            persons.person_key, case when persons.person_key is not null then safe_cast(links.contact_id as int64) end
        ) as person_key
    from links
    left join {{ ref('int_contact_persons') }} as persons
        on persons.client_id = links.client_id and persons.contact_id = links.contact_id
    group by links.client_id, links.deal_id
)

select
    deals.client_id,
    deals.deal_id,
    deals.deal_name,
    deals.deal_type,
    deals.pipeline_id,
    pipelines.pipeline_label,
    deals.stage_id,
    stages.stage_label,
    stages.display_order as stage_position,
    deals.owner_id,
    contacts.person_key,
    coalesce(contacts.contacts, 0) as contacts,
    coalesce(deals.portal_created_at, deals.created_at) as created_at,
    date(coalesce(deals.portal_created_at, deals.created_at), clients.reporting_timezone) as created_on,
    case when deals.is_closed then deals.closed_at end as closed_at,
    case when deals.is_closed then date(deals.closed_at, clients.reporting_timezone) end as closed_on,
    coalesce(deals.is_closed, false) as is_closed,
    coalesce(deals.is_closed_won, false) as is_won,
    case
        when deals.is_closed then date_diff(
            date(deals.closed_at, clients.reporting_timezone),
            date(coalesce(deals.portal_created_at, deals.created_at), clients.reporting_timezone),
            day
        )
    end as days_to_close,
    deals.currency,
    deals.amount,
    deals.closed_lost_reason
from {{ ref('stg_hubspot__deals') }} as deals
cross join {{ ref('int_as_of') }} as moment
inner join {{ ref('int_clients') }} as clients on clients.client_id = deals.client_id
left join contacts
    on contacts.client_id = deals.client_id and contacts.deal_id = deals.deal_id
left join {{ ref('stg_hubspot__deal_pipelines') }} as pipelines
    on pipelines.client_id = deals.client_id and pipelines.pipeline_id = deals.pipeline_id
left join {{ ref('stg_hubspot__deal_pipeline_stages') }} as stages
    on stages.client_id = deals.client_id
    and stages.pipeline_id = deals.pipeline_id
    and stages.stage_id = deals.stage_id
where not deals.is_deleted and deals.created_at < moment.as_of
