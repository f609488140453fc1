-- The tables that the pipeline keeps about itself. Idempotent; run by the first load of a release that raised OPS_VERSION
-- (tributary.warehouse.tables), or by `make migrate`. Tables and columns are only ever added.

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
  reason string options (description = 'missing, type, range, drift, unreadable, or refused: by the load job.'),
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
  kind string options (description = 'unknown: not in the contract; type: not of the type that the contract says; rounded: more decimals than its column has; merge: named as merged into another, but listed alive; added, widened: how a load brought the table up to its contract.'),
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

create table if not exists `{{ project }}.ops.suppressions` (
  client_id string not null options (description = 'Tenant whose records are meant.'),
  kind string not null options (description = 'email: the value is the keyed hash of an address; else a source, and the value is a record id.'),
  value string not null options (description = 'Hash or id by which records of the person are recognised.'),
  suppressed_at timestamp options (description = 'When the person was erased.')
) options (description = 'Insert-only: people who were erased. Flatten blanks the personal data of their records.');

create table if not exists `{{ project }}.ops.reject_resolutions` (
  client_id string options (description = 'Tenant of the source.'),
  source string options (description = 'API that the record comes from.'),
  stream string options (description = 'Collection of the source.'),
  record_key string options (description = 'Key of the record, as in ops.rejects.'),
  resolution string options (description = 'read: raw holds this observation or a later one; gone: the source has deleted the record.'),
  landing_object string options (description = 'Pointer of the reject, with line and item.'),
  landing_line int64 options (description = 'Line of that object, from 1.'),
  landing_item int64 options (description = 'Position of the record on that page, from 1.'),
  _observed_at timestamp options (description = 'When the API gave the answer that settles it.'),
  load_id string options (description = 'Load that settled it.'),
  run_id string options (description = 'Airflow run.'),
  resolved_at timestamp options (description = 'When it was settled.')
) partition by timestamp_trunc(resolved_at, month) cluster by source, stream, client_id
options (description = 'Insert-only: what settled a reject. Written inside the load transaction.');

-- A record that is set aside again, by a replay under another contract, is open again.
create or replace view `{{ project }}.ops.open_rejects`
options (description = 'Rejects that nothing has settled yet: what a replay reads again.') as
with latest as (
  select * from `{{ project }}.ops.rejects` where true
  qualify row_number() over (
    partition by source, stream, client_id, landing_object, landing_line, landing_item order by rejected_at desc) = 1
),
settled as (
  select source, stream, client_id, landing_object, landing_line, landing_item, max(resolved_at) as resolved_at
  from `{{ project }}.ops.reject_resolutions`
  group by source, stream, client_id, landing_object, landing_line, landing_item
)
select r.*
from latest r
left join settled s
  on r.source = s.source and r.stream = s.stream and r.client_id = s.client_id and r.landing_object = s.landing_object
  and r.landing_line = s.landing_line and r.landing_item = s.landing_item and s.resolved_at >= r.rejected_at
where s.source is null;

create table if not exists `{{ project }}.ops.stale_clients` (
  source string options (description = 'API that the records come from.'),
  stream string options (description = 'Collection of the source.'),
  client_id string options (description = 'Optional tenant that a build did not wait for.'),
  axis string options (description = 'What the missing interval is measured on.'),
  missing_from timestamp options (description = 'Start of what the ledger lacked, inclusive.'),
  missing_until timestamp options (description = 'End of what the ledger lacked, exclusive.'),
  build_until timestamp options (description = 'Moment that the build shows the world at.'),
  dag_id string options (description = 'Airflow DAG.'),
  run_id string options (description = 'Airflow run.'),
  marked_at timestamp options (description = 'When the build went on without it.')
) partition by timestamp_trunc(marked_at, month) cluster by source, stream, client_id
options (description = 'Insert-only: what optional clients lacked when a build went on without them.');

create or replace view `{{ project }}.ops.stream_status`
options (description = 'Per client and stream: covered up to when, rows of its loads, rejects, tombstones, and whether the marts went on without it.') as
with loads as (
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
  group by source, stream, client_id
),
marks as (
  select * from `{{ project }}.ops.stale_clients` where true
  qualify row_number() over (partition by source, stream, client_id order by marked_at desc, missing_from) = 1
),
-- A mark holds until a load that is later than it reaches the end of what was missing.
joined as (
  select
    coalesce(l.source, m.source) as source,
    coalesce(l.stream, m.stream) as stream,
    coalesce(l.client_id, m.client_id) as client_id,
    l.* except (source, stream, client_id),
    coalesce(m.marked_at > l.last_loaded_at or m.missing_until > l.covered_until, m.marked_at is not null) as stale,
    m.missing_from,
    m.missing_until
  from loads l
  full outer join marks m on l.source = m.source and l.stream = m.stream and l.client_id = m.client_id
)
select * except (missing_from, missing_until), if(stale, missing_from, null) as missing_from, if(stale, missing_until, null) as missing_until
from joined;

create or replace view `{{ project }}.ops.api_usage`
options (description = 'Requests per source, client and day: what Stripe counts against the read allocation of an account.') as
select
  source,
  client_id,
  date(observed_from) as day,
  sum(requests) as requests,
  sum(received) as records
from (
  -- A landing folder that is loaded again was read once.
  select * from `{{ project }}.ops.ledger` where kind = 'load'
  qualify row_number() over (partition by extraction_id, table_name order by loaded_at desc) = 1
)
group by source, client_id, day;

-- The last statement: with this row, all of the above is there.
create table if not exists `{{ project }}.ops.migrations` (
  version int64 options (description = 'Version of the ops tables and views.'),
  migrated_at timestamp options (description = 'When they were brought to it.')
)
options (description = 'Insert-only: the versions that the ops dataset has been brought to.');

insert into `{{ project }}.ops.migrations` (version, migrated_at)
select {{ version }}, current_timestamp() from (select 1)
where not exists (select 1 from `{{ project }}.ops.migrations` where version = {{ version }});
