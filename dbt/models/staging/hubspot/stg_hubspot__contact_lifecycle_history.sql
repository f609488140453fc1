select
    records.client_id,
    records.contact_id,
    records.changed_at,
    records.lifecyclestage as lifecycle_stage,
    records.source_type,
    records.source_id,
    records.source_label,
    records.updated_by_user_id,
    records._deleted_at is not null as is_deleted,
    records._deleted_at as deleted_at,
    records._observed_at as observed_at
from {{ as_known('hubspot', 'hubspot_contact_lifecycle_history') }} as records
