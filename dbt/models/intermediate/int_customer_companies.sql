-- The CRM company behind each billing customer: the one that billing names, else that of the person's contact, else the one
-- with the domain of the customer's own address. Providers of free mailboxes are nobody's domain.
with living as (
    select client_id, company_id, created_at, {{ normalised_domain('domain') }} as domain
    from {{ ref('stg_hubspot__companies') }}
    cross join {{ ref('int_as_of') }} as moment
    where not is_deleted and created_at < moment.as_of
),

records as (
    select client_id, company_id as record_id, company_id
    from living
    union distinct
    select merges.client_id, merges.merged_id, merges.company_id
    from {{ ref('stg_hubspot__company_merges') }} as merges
    inner join living on living.client_id = merges.client_id and living.company_id = merges.company_id
    left join living as itself on itself.client_id = merges.client_id and itself.company_id = merges.merged_id
    where not merges.is_deleted and itself.company_id is null
),

free_mail as (
    select domain from {{ ref('free_mail_domains') }}
    {%- for domain in var('free_mail_domains') %}
    union distinct
    select '{{ domain | lower }}'
    {%- endfor %}
),

claims as (
    select customers.client_id, customers.customer_id, records.company_id, 'metadata' as reason, 1 as preference
    from {{ ref('stg_stripe__customers') }} as customers
    inner join records
        on records.client_id = customers.client_id
        and records.record_id = {{ written_id("json_value(customers.metadata, '$." ~ var('company_metadata_key') ~ "')") }}
    union all
    -- the primary company of a contact is marked by HubSpot's own type 1 (labels of the team's own are numbered from 1 as
    -- well); contacts with one company may lack the mark. An edge to a company that was merged away since leads to what is left.
    select
        customers.client_id,
        customers.customer_id,
        records.company_id,
        'contact',
        case
            when exists (
                select 1 from unnest(json_query_array(links.association_types)) as kind
                where json_value(kind, '$.typeId') = '1'
                    and coalesce(json_value(kind, '$.category'), 'HUBSPOT_DEFINED') = 'HUBSPOT_DEFINED'
            ) then 2
            else 3
        end
    from {{ ref('int_customer_persons') }} as customers
    inner join {{ ref('int_persons') }} as persons
        on persons.client_id = customers.client_id and persons.person_key = customers.person_key
    inner join {{ ref('stg_hubspot__contact_companies') }} as links
        on links.client_id = persons.client_id and links.contact_id = persons.hubspot_contact_id
    inner join records
        on records.client_id = links.client_id and records.record_id = links.company_id
    where not links.is_deleted
    union all
    select customers.client_id, customers.customer_id, living.company_id, 'domain', 4
    from {{ ref('int_stripe_customers') }} as customers
    inner join living
        on living.client_id = customers.client_id
        and living.domain = regexp_extract(customers.normalised_email, r'@(.+)$')
    left join free_mail on free_mail.domain = living.domain
    where free_mail.domain is null
),

-- two edges may lead to one company, by way of what was merged into it
best_claims as (
    select client_id, customer_id, company_id, reason, min(preference) as best_preference
    from claims
    group by client_id, customer_id, company_id, reason
),

ranked as (
    select
        best_claims.client_id,
        best_claims.customer_id,
        best_claims.company_id,
        best_claims.reason,
        row_number() over (
            partition by best_claims.client_id, best_claims.customer_id
            order by
                best_claims.best_preference,
                living.created_at,
                safe_cast(best_claims.company_id as int64),
                best_claims.company_id
        ) as claim_rank,
        count(*) over (
            partition by best_claims.client_id, best_claims.customer_id, best_claims.best_preference
        ) as rivals
    from best_claims
    inner join living on living.client_id = best_claims.client_id and living.company_id = best_claims.company_id
)

select
    client_id,
    customer_id,
    company_id,
    reason as match_reason,
    case reason when 'metadata' then 'certain' when 'contact' then 'high' else 'low' end as match_confidence,
    rivals as companies_claiming
from ranked
where claim_rank = 1
