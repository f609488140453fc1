{%- set columns = [
    'client_id', 'pipeline_id', 'pipeline_label', 'id', 'label', 'display_order', 'is_closed', 'probability',
    'archived', 'archived_at', 'created_at', 'updated_at'
] -%}
-- Steps that were taken out of a pipeline stay, deleted: records can still be in them.
select
    records.client_id,
    records.pipeline_id,
    records.id as stage_id,
    records.pipeline_label,
    records.label as stage_label,
    records.display_order,
    records.is_closed,
    records.probability,
    records.archived as is_archived,
    records.archived_at,
    records.created_at,
    records.updated_at,
    records._deleted_at is not null or coalesce(records.archived, false) as is_deleted,
    records._deleted_at as deleted_at,
    records._observed_at as observed_at
from {{ listed_or_former('hubspot', 'hubspot_deal_pipeline_stages', ['client_id', 'pipeline_id', 'id'], columns) }} as records
