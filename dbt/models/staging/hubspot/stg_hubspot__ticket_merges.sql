select
    records.client_id,
    records.ticket_id,
    records.merged_id,
    records.merged_at,
    records._deleted_at is not null as is_deleted,
    records._deleted_at as deleted_at,
    records._observed_at as observed_at
from {{ as_known('hubspot', 'hubspot_ticket_merges') }} as records
