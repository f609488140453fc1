select
    records.client_id,
    records.contact_id,
    records.company_id,
    records.association_types,
    records._deleted_at is not null as is_deleted,
    records._deleted_at as deleted_at,
    records._observed_at as observed_at
from {{ as_known('hubspot', 'hubspot_contact_companies') }} as records
