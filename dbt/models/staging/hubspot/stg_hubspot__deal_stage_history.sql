select
    records.client_id,
    records.deal_id,
    records.changed_at,
    records.stage_id,
    records.source_type,
    records.source_id,
    records.source_label,
    records.updated_by_user_id,
    records._deleted_at is not null as is_deleted,
    records._deleted_at as deleted_at,
    records._observed_at as observed_at
from {{ as_known('hubspot', 'hubspot_deal_stage_history') }} as records
