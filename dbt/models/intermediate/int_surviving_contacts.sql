-- Every record id that a contact has ever had, with the contact that is left. HubSpot's survivor lists all the ids that
-- went into it, also those of records that had been merged before, so one step leads to it.
with living as (
    select client_id, contact_id
    from {{ ref('int_contacts') }}
),

merged as (
    select
        merges.client_id,
        merges.merged_id,
        merges.contact_id,
        row_number() over (
            partition by merges.client_id, merges.merged_id order by merges.merged_at desc, merges.contact_id
        ) as recency
    from {{ ref('stg_hubspot__contact_merges') }} as merges
    inner join living on living.client_id = merges.client_id and living.contact_id = merges.contact_id
    left join living as itself on itself.client_id = merges.client_id and itself.contact_id = merges.merged_id
    where not merges.is_deleted and itself.contact_id is null
)

select client_id, contact_id as record_id, contact_id, false as is_merged
from living
union all
select client_id, merged_id, contact_id, true
from merged
where recency = 1
