-- The tables that the pipeline keeps about itself. Idempotent; run before the first load.

create table if not exists `{{ project }}.ops.ledger` (
  load_id string not null options (description = 'Names one load; a retry after a lost answer finds it here and does nothing.'),
  kind string options (description = 'load, build_begun or build (that has ended).'),
  client_id string options (description = 'Tenant of the source.'),
  source string options (description = 'API that the records come from.'),
  stream string options (description = 'Collection of the source, or the child stream nested in it.'),
  table_name string options (description = 'Raw table that was loaded.'),
  axis string options (description = 'What the window is measured on: created, changed or whole.'),
  axis_reason string options (description = 'Why this axis was read.'),
  window_start timestamp options (description = 'Start of the window, inclusive.'),
  window_end timestamp options (description = 'End of the window, exclusive.'),
  observed_from timestamp options (description = 'When the extraction sent its first request; of a build, the moment up to which observations count.'),
  observed_to timestamp options (description = 'When the extraction ended.'),
  partitions array<date> options (description = 'Partitions touched: record dates of the rows that were written, tombstoned or, as parts of a record, left out.'),
  received int64 options (description = 'Records that the API answered.'),
  loaded int64 options (description = 'Of these: written as new or changed.'),
  unchanged int64 options (description = 'Of these: equal to what was there.'),
  superseded int64 options (description = 'Of these: older than what was there, so left out.'),
  duplicate int64 options (description = 'Of these: answered more than once.'),
  rejected int64 options (description = 'Of these: set aside, see ops.rejects.'),
  gone int64 options (description = 'Deletion notices received.'),
  tombstoned int64 options (description = 'Rows marked as deleted by this load.'),
  requests int64 options (description = 'Requests sent to the API for these records and their children.'),
  contract_version int64 options (description = 'Version of the contract.'),
  extraction_id string options (description = 'Landing folder that the records come from.'),
  dag_id string options (description = 'Airflow DAG.'),
  run_id string options (description = 'Airflow run.'),
  project string options (description = 'Checksum of the dbt project that was built.'),
  loaded_at timestamp options (description = 'When the load was committed.')
) partition by timestamp_trunc(loaded_at, month) cluster by source, stream, client_id
options (description = 'Insert-only: one row per load, client, window and table, written inside the load transaction.');

-- A ledger that was created by an older version.
alter table `{{ project }}.ops.ledger` add column if not exists requests int64
options (description = 'Requests sent to the API for these records and their children.');
alter table `{{ project }}.ops.ledger` add column if not exists project string
options (description = 'Checksum of the dbt project that was built.');

create table if not exists `{{ project }}.ops.rejects` (
  client_id string options (description = 'Tenant of the source.'),
  source string options (description = 'API that the record comes from.'),
  stream string options (description = 'Collection of the source.'),
  table_name string options (description = 'Raw table that the record was meant for.'),
  record_key string options (description = 'Key of the record, its parts joined by a bar; null if it has none.'),
  reason string options (description = 'missing, type, range or drift.'),
  column_path string options (description = 'Where in the record the contract is broken.'),
  detail string options (description = 'Expected and found type, never the value.'),
  landing_object string options (description = 'Landing object that holds the record.'),
  landing_line int64 options (description = 'Line of that object, from 1.'),
  landing_item int64 options (description = 'Position of the record on that page, from 1.'),
  contract_version int64 options (description = 'Version of the contract that it breaks.'),
  extraction_id string options (description = 'Extraction that brought it.'),
  _observed_at timestamp options (description = 'When the API answered with it.'),
  load_id string options (description = 'Load that set it aside.'),
  run_id string options (description = 'Airflow run.'),
  rejected_at timestamp options (description = 'When it was set aside.')
) partition by timestamp_trunc(rejected_at, month) cluster by source, stream, client_id
options (description = 'Records that break their contract: a pointer and a reason, no payload.');

create table if not exists `{{ project }}.ops.schema_drift` (
  client_id string options (description = 'Tenant of the source.'),
  source string options (description = 'API that the field comes from.'),
  stream string options (description = 'Collection of the source.'),
  table_name string options (description = 'Raw table whose _extra keeps the field.'),
  kind string options (description = 'unknown: not in the contract; type: not of the type that the contract says; added, widened: how a load brought the table up to its contract.'),
  column_path string options (description = 'Path of the field in the record; the column that was added or widened.'),
  found string options (description = 'JSON type that was found; type of the column, before and after.'),
  records int64 options (description = 'Records with this drift in the load; rows whose values came from _extra.'),
  pointer string options (description = 'Landing object, line and item of the first of them.'),
  contract_version int64 options (description = 'Version of the contract.'),
  load_id string options (description = 'Load that met it.'),
  run_id string options (description = 'Airflow run.'),
  seen_at timestamp options (description = 'When it did.')
) partition by timestamp_trunc(seen_at, month) cluster by source, stream
options (description = 'Fields that the contracts do not know or whose type changed, and what contracts changed in the tables.');

create or replace view `{{ project }}.ops.stream_status`
options (description = 'Per client and stream: covered up to when, rows of the last load, rejects, tombstones.') as
select
  source,
  stream,
  client_id,
  max(window_end) as covered_until,
  max(loaded_at) as last_loaded_at,
  count(*) as loads,
  sum(received) as received,
  sum(loaded) as loaded,
  sum(rejected) as rejected,
  sum(tombstoned) as tombstoned
from `{{ project }}.ops.ledger`
where kind = 'load'
group by source, stream, client_id;

create or replace view `{{ project }}.ops.api_usage`
options (description = 'Requests per source, client and day: what Stripe counts against the read allocation of an account.') as
select
  source,
  client_id,
  date(observed_from) as day,
  sum(requests) as requests,
  sum(received) as records
from `{{ project }}.ops.ledger`
where kind = 'load'
group by source, client_id, day;
