select
    records.client_id,
    records.id as pipeline_id,
    records.created_at,
    records.updated_at,
    records.label as pipeline_label,
    records.display_order,
    records.archived as is_archived,
    records.archived_at,
    records._deleted_at is not null or coalesce(records.archived, false) as is_deleted,
    records._deleted_at as deleted_at,
    records._observed_at as observed_at
from {{ as_known('hubspot', 'hubspot_deal_pipelines') }} as records
