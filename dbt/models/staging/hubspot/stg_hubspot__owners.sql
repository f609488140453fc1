select
    records.client_id,
    records.id as owner_id,
    records.created_at,
    records.updated_at,
    records.archived as is_archived,
    records.email,
    records.first_name,
    records.last_name,
    records.type as owner_type,
    records.user_id,
    records.user_id_including_inactive,
    records.teams,
    records._deleted_at is not null or coalesce(records.archived, false) as is_deleted,
    records._deleted_at as deleted_at,
    records._observed_at as observed_at
from {{ as_known('hubspot', 'hubspot_owners') }} as records
