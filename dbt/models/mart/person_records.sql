{{ config(cluster_by=['client_id', 'person_key']) }}

-- Nothing that was taken for one person is hidden: every customer and contact id that either system ever gave them.
with records as (
    select
        client_id,
        'stripe' as source,
        customer_id as record_id,
        person_key,
        match_reason,
        match_confidence,
        created_at,
        cast(null as string) as merged_into
    from {{ ref('int_customer_persons') }}
    union all
    select
        survivors.client_id,
        'hubspot',
        survivors.record_id,
        contacts.person_key,
        case when survivors.is_merged then 'merged_contact' else contacts.match_reason end,
        case
            when survivors.is_merged then 'certain'
            when contacts.match_reason = 'email' then 'high'
            when contacts.match_reason = 'additional_email' then 'medium'
            else 'none'
        end,
        case when not survivors.is_merged then contacts.created_at end,
        case when survivors.is_merged then survivors.contact_id end
    from {{ ref('int_surviving_contacts') }} as survivors
    inner join {{ ref('int_contact_persons') }} as contacts
        on contacts.client_id = survivors.client_id and contacts.contact_id = survivors.contact_id
)

select
    records.client_id,
    records.source,
    records.record_id,
    records.person_key,
    records.match_reason,
    records.match_confidence,
    records.merged_into,
    case
        when persons.hubspot_contact_id is not null
            then records.source = 'hubspot' and records.record_id = persons.hubspot_contact_id
        else row_number() over (
            partition by records.client_id, records.person_key
            order by records.created_at is null, records.created_at, records.record_id
        ) = 1
    end as is_survivor,
    count(*) over (partition by records.client_id, records.person_key) as records_of_person
from records
inner join {{ ref('int_persons') }} as persons
    on persons.client_id = records.client_id and persons.person_key = records.person_key
