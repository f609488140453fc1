{#- The load transaction of one stream: its raw table and those of its children, for every client and window staged by one run.

   Arguments, prepared by tributary.warehouse.replace (all literals are quoted there):
     project, load_id, run_id, dag_id, suffix
     own          the stream's table: name, key, columns, created, bounds
     children     the same for each child, with parent_key
     chunks       per staged folder: number, client_id, axis, window_start, window_end, observed_from, …, counts, stage tables
     rejects      stage table of rejects, or none
     drift        literal rows for ops.schema_drift

   Steps, all in one transaction:
     1  fence        refuse a second commit of this load, and a load that another one has overtaken
     2  inputs       nobody was erased since, and the stage tables hold what was flattened
     3  verdicts     one row per key, and what becomes of it: new, changed, unchanged, superseded, deleted
     4  tombstones   records that a listing no longer has, within the contract's limit
     5  own table    superseded versions to history, then replace, check the keys, write the ledger
     6  children     the same for each child table, by parent
     7  rejects      what could not be read now, and which open rejects are settled
     8  drift        what the contract doesn't know
     9  conserved    every received record is accounted for; then commit

   Partition bounds are literals, so that BigQuery prunes. They were looked up after the fence had been read, and hold
   only as long as nobody has taken it since. Two loads of one stream always conflict on its fence, a
   table of its own (BigQuery tells conflicts by table); one of them is cancelled, and its task tries again. -#}
{%- macro same(a, b, key) -%}
  {{ a }}.client_id = {{ b }}.client_id{% for column in key %} and {{ a }}.{{ column }} = {{ b }}.{{ column }}{% endfor %}
{%- endmacro -%}
{%- macro same_as_parent(a, b, child) -%}
  {{ a }}.client_id = {{ b }}.client_id{% for column in child.parent_key %} and {{ a }}.{{ column }} = {{ b }}.{{ own.key[loop.index0] }}{% endfor %}
{%- endmacro -%}
{%- macro list(columns, prefix='') -%}
  {% for column in columns %}{{ prefix }}{{ column }}{% if not loop.last %}, {% endif %}{% endfor %}
{%- endmacro -%}
{%- macro record_key(row) -%}
  concat({% for column in own.key %}cast({{ row }}.{{ column }} as string){% if not loop.last %}, '|', {% endif %}{% endfor %})
{%- endmacro -%}
{%- macro staged(table) -%}
  {% for chunk in chunks %}select {{ chunk.number }} as _chunk, * from {{ chunk.stages[table.name] }}{% if not loop.last %}
  union all {% endif %}{% endfor %}
{%- endmacro -%}
{#- Every column of a row, with this run's id. -#}
{%- macro loaded(columns) -%}
  {% for column in columns %}{% if column == '_run_id' %}{{ run_id }}{% else %}{{ column }}{% endif %}{% if not loop.last %}, {% endif %}{% endfor %}
{%- endmacro -%}
{#- Fails unless a table holds each loaded row once. -#}
{%- macro check_keys(table, rows, verdicts='') -%}
select if(a.n = i.n and a.keys = i.n, 'ok', error(concat(
  '{{ table.name }}: after the load ', cast(a.n as string), ' rows with ', cast(a.keys as string), ' keys stand for ', cast(i.n as string),
  ' records; nothing was loaded')))
from (
  select count(*) as n, count(distinct to_json_string(struct(t.client_id, {{ list(table.key, 't.') }}))) as keys
  from {{ table.raw }} t
  join {{ rows }} w on {{ same('t', 'w', table.key) }}
  where t.{{ table.bounds }}{% if verdicts %} and w.{{ verdicts }}{% endif %}

) a
cross join (select count(*) as n from {{ rows }}{% if verdicts %} where {{ verdicts }}{% endif %}) i;
{%- endmacro -%}
{%- set incoming = '_incoming_' ~ suffix -%}
{%- set gone = '_gone_' ~ suffix -%}
{%- set open = '_open_' ~ suffix -%}
{%- set unread = '_unread_' ~ suffix -%}
begin transaction;

-- ---- 1 fence
-- An attempt whose answer was lost may have been committed meanwhile.
select if(count(*) = 0, 'ok', error('{{ already_loaded }}')) from `{{ project }}.ops.ledger` where load_id = {{ load_id }};

select if(count(*) = 1, 'ok', error('{{ moved }}')) from {{ own.fence }} where load_id is not distinct from {{ own.fence_seen }};

update {{ own.fence }} set load_id = {{ load_id }}, taken_at = current_timestamp() where true;

-- ---- 2 inputs
-- Somebody who was erased after the rows were made is in them in clear. By number and not by time: an entry can be
-- older than one that was committed before it.
select if(count(*) = 0, 'ok', error(concat('{{ own.name }}: somebody was erased after the rows were flattened of ', string_agg(concat(
  'client ', c.client_id, ', window ', c.label, ' (', cast(coalesce(s.n, 0) as string), ' entries in ops.suppressions, expected ', cast(c.n as string), ')'), '; '),
  '; nothing was loaded. Clear the flatten task of each')))
from (
{% for chunk in chunks %}  select {{ chunk.client_id }} as client_id, {{ chunk.label }} as label, {{ chunk.suppressions }} as n{% if not loop.last %} union all{% endif %}

{% endfor %}) c
left join (select client_id, count(*) as n from `{{ project }}.ops.suppressions` group by client_id) s on c.client_id = s.client_id
where coalesce(s.n, 0) != c.n;

-- What was staged must be what was flattened.
{% for chunk in chunks %}{% for table in [own] + children -%}
select if(count(*) = {{ chunk.rows[table.name] }}, 'ok', error(concat(
  '{{ table.name }}, client ', {{ chunk.client_id }}, ', window ', {{ chunk.label }}, ': the stage table has ', cast(count(*) as string),
  ' rows, expected {{ chunk.rows[table.name] }}; nothing was loaded. Clear the stage task to load it again')))
from {{ chunk.stages[table.name] }};
{% endfor %}{% endfor %}
-- ---- 3 verdicts
-- Records that were never readable and are gone by now: raw has no tombstone that would keep an older answer out.
create or replace temp table {{ unread }} as
select client_id, record_key, max(_observed_at) as _gone_at
from `{{ project }}.ops.reject_resolutions`
where source = '{{ source }}' and stream = '{{ own.stream }}' and resolution = 'gone'
group by client_id, record_key;

-- One row per key, the latest observation, and what is to become of it. A row without a hash is a deletion notice.
create or replace temp table {{ incoming }} as
with staged as (
  {{ staged(own) }}
),
{% if merges -%}
-- A record that the same walk shows alive was not merged away, whatever another one says of it.
live as (
  select distinct _chunk, client_id, {{ list(own.key) }} from staged where _row_hash is not null and _deleted_at is null
),
told as (
  select s.* from staged s
  left join live l on s._chunk = l._chunk and {{ same('s', 'l', own.key) }}
  where s._row_hash is not null or l.client_id is null
),
{% endif -%}
latest as (
  select * from {{ 'told' if merges else 'staged' }}
  qualify row_number() over (partition by client_id, {{ list(own.key) }} order by _observed_at desc, _row_hash) = 1
)
select
  s.* except (_record_date, _valid_from),
  coalesce(t._record_date, s._record_date) as _record_date,
  case
    when s._row_hash is null and (t.client_id is null or t._deleted_at is not null) then 'absent'
    when coalesce(t._observed_at, u._gone_at) > s._observed_at then 'superseded'
    when s._row_hash is null then 'gone'
    when t.client_id is null then 'new'
    when t._row_hash = s._row_hash and (t._deleted_at is null) = (s._deleted_at is null) then 'unchanged'
    else 'changed'
  end as _verdict,
  case
    when t._row_hash = s._row_hash and (t._deleted_at is null) = (s._deleted_at is null) then t._valid_from
    else s._observed_at
  end as _valid_from
from latest s
left join (select * from {{ own.raw }} where {{ own.bounds }}) t on {{ same('s', 't', own.key) }}
left join {{ unread }} u on s.client_id = u.client_id and {{ record_key('s') }} = u.record_key;

{% if archived -%}
-- The answer about an archived record may lack what it had: its last good attributes stay beside the tombstone.
update {{ incoming }} i
set {% for column in own.attributes %}{{ column }} = coalesce(i.{{ column }}, t.{{ column }}){% if not loop.last %}, {% endif %}{% endfor %}

from {{ own.raw }} t
where t.{{ own.bounds }} and {{ same('t', 'i', own.key) }} and i._deleted_at is not null and i._verdict in ('changed', 'unchanged');

{% endif -%}
-- ---- 4 tombstones
-- What the listing of a window should have held and didn't; rejected records are there, only not readable.
-- Windows of one load can overlap, and then a record is missing from more than one.
create or replace temp table {{ gone }} as
select * from (
select client_id, {{ list(own.key) }}, _record_date, _chunk, _observed_at as _gone_at
from {{ incoming }} where _verdict = 'gone'
{% for chunk in chunks if chunk.tombstones -%}
union all
select t.client_id, {{ list(own.key, 't.') }}, t._record_date, {{ chunk.number }}, {{ chunk.observed_from }}
from {{ own.raw }} t
left join {{ incoming }} i on {{ same('t', 'i', own.key) }}
{% if rejects %}left join {{ rejects }} r on t.client_id = r.client_id and {{ record_key('t') }} = r.record_key
{% endif %}where t.{{ own.bounds }}
  and t.client_id = {{ chunk.client_id }}
{% if not chunk.everything %}  and t.{{ own.created }} >= {{ chunk.window_start }} and t.{{ own.created }} < {{ chunk.window_end }}
{% endif %}  and t._deleted_at is null
  and t._observed_at < {{ chunk.observed_from }}
  and i.client_id is null
{% if own.unlisted %}  and t.{{ own.unlisted }} is null
{% endif %}{% if rejects %}  and r.client_id is null
{% endif %}{% endfor %})
where true
qualify row_number() over (partition by client_id, {{ list(own.key) }} order by _gone_at, _chunk) = 1;

{% for chunk in chunks if chunk.tombstones -%}
select if(g.n <= {{ tombstone_floor }} or g.n <= {{ tombstone_limit }} * t.n, 'ok', error(concat(
  '{{ own.name }}, client ', {{ chunk.client_id }}, ', window ', {{ chunk.label }}, ': ', cast(g.n as string), ' of ', cast(t.n as string),
  ' records are no longer listed, more than the limit of {{ tombstone_limit }} in the contract; nothing was loaded. A lost permission or a wrong key looks like this')))
from (select count(*) as n from {{ gone }} where _chunk = {{ chunk.number }}) g
cross join (
  select count(*) as n from {{ own.raw }} t
  where t.{{ own.bounds }} and t.client_id = {{ chunk.client_id }} and t._deleted_at is null
{% if not chunk.everything %}    and t.{{ own.created }} >= {{ chunk.window_start }} and t.{{ own.created }} < {{ chunk.window_end }}
{% endif %}) t;
{% endfor %}
-- ---- 5 own table: {{ own.name }}
-- History, tombstones, replacement. A version that another reading of the same answer replaces never was.
insert into {{ own.history }} ({{ list(own.columns) }}, _valid_to)
select {{ list(own.columns, 't.') }}, v._valid_to
from {{ own.raw }} t
join (
  select client_id, {{ list(own.key) }}, _observed_at as _valid_to from {{ incoming }} where _verdict = 'changed'
  union all
  select client_id, {{ list(own.key) }}, _gone_at from {{ gone }}
) v on {{ same('t', 'v', own.key) }}
where t.{{ own.bounds }} and t._valid_from < v._valid_to;

update {{ own.raw }} t
set _deleted_at = g._gone_at, _observed_at = g._gone_at, _valid_from = g._gone_at, _run_id = {{ run_id }}
from {{ gone }} g
where t.{{ own.bounds }} and {{ same('t', 'g', own.key) }};

delete from {{ own.raw }} t
where t.{{ own.bounds }}
  and exists (select 1 from {{ incoming }} i where i._verdict in ('changed', 'unchanged') and {{ same('t', 'i', own.key) }});

insert into {{ own.raw }} ({{ list(own.columns) }})
select {{ loaded(own.columns) }}
from {{ incoming }} where _verdict in ('new', 'changed', 'unchanged');

{{ check_keys(own, incoming, "_verdict in ('new', 'changed', 'unchanged')") }}

insert into `{{ project }}.ops.ledger` ({{ list(ledger_columns) }})
{% for chunk in chunks -%}
select
  {{ load_id }}, 'load', {{ chunk.client_id }}, '{{ source }}', '{{ own.stream }}', '{{ own.name }}', '{{ chunk.axis }}', {{ chunk.axis_reason }},
  {{ chunk.window_start }}, {{ chunk.window_end }}, {{ chunk.observed_from }}, {{ chunk.observed_to }},
  array(select distinct d from (
    select _record_date as d from {{ incoming }} where _chunk = {{ chunk.number }} and _verdict in ('new', 'changed')
    union all select _record_date from {{ gone }} where _chunk = {{ chunk.number }}) where d is not null order by d),
  {{ chunk.received[own.name] }},
  countif(_verdict in ('new', 'changed')),
  countif(_verdict = 'unchanged'),
  countif(_verdict = 'superseded' and _row_hash is not null),
  {{ chunk.rows[own.name] - chunk.gone }} - countif(_row_hash is not null),
  {{ chunk.rejected[own.name] }},
  {{ chunk.gone }},
  (select count(*) from {{ gone }} where _chunk = {{ chunk.number }}), {{ chunk.requests }},
  {{ chunk.contract_version }}, {{ chunk.extraction_id }}, {{ dag_id }}, {{ run_id }}, current_timestamp()
from {{ incoming }} where _chunk = {{ chunk.number }}
{% if not loop.last %}union all
{% endif %}{% endfor %};
{% for child in children %}{% set incoming_child = '_incoming_' ~ child.stream ~ '_' ~ suffix %}{% set former_child = '_former_' ~ child.stream ~ '_' ~ suffix %}
-- ---- 6 children: {{ child.name }}, of every loaded parent, replaced whole
create or replace temp table {{ incoming_child }} as
with staged as (
  {{ staged(child) }}
),
kept as (
  select s.* except (_record_date, _valid_from), p._record_date
  from staged s
  join {{ incoming }} p on {{ same_as_parent('s', 'p', child) }} and s._chunk = p._chunk and s._observed_at = p._observed_at
  where p._verdict in ('new', 'changed', 'unchanged')
  qualify row_number() over (partition by s.client_id, {{ list(child.key, 's.') }} order by s._row_hash) = 1
)
select
  k.*,
  t.client_id is not null and t._row_hash = k._row_hash and (t._deleted_at is null) = (k._deleted_at is null) as _unchanged,
  if(t._row_hash = k._row_hash and (t._deleted_at is null) = (k._deleted_at is null), t._valid_from, k._observed_at) as _valid_from
from kept k
left join (select * from {{ child.raw }} where {{ child.bounds }}) t on {{ same('k', 't', child.key) }};

create or replace temp table {{ former_child }} as
select {{ list(child.columns, 't.') }}, p._valid_to, p._chunk
from {{ child.raw }} t
join (
  select client_id, {{ list(own.key) }}, _observed_at as _valid_to, _chunk from {{ incoming }} where _verdict in ('changed', 'unchanged')
  union all
  select client_id, {{ list(own.key) }}, _gone_at, _chunk from {{ gone }}
) p on {{ same_as_parent('t', 'p', child) }}
left join {{ incoming_child }} i on {{ same('t', 'i', child.key) }} and i._unchanged
{% if child.keeps_vanished %}left join {{ incoming_child }} n on {{ same('t', 'n', child.key) }}
{% endif %}where t.{{ child.bounds }} and i.client_id is null and t._valid_from < p._valid_to
{%- if child.keeps_vanished %} and (t._deleted_at is null or n.client_id is not null){% endif %};

insert into {{ child.history }} ({{ list(child.columns) }}, _valid_to)
select {{ list(child.columns) }}, _valid_to from {{ former_child }};

update {{ child.raw }} t
set _deleted_at = g._gone_at, _observed_at = g._gone_at, _valid_from = g._gone_at, _run_id = {{ run_id }}
from {{ gone }} g
where t.{{ child.bounds }} and {{ same_as_parent('t', 'g', child) }}{% if child.keeps_vanished %} and t._deleted_at is null{% endif %};

{% if child.keeps_vanished -%}
-- What is no longer in its record stays as a tombstone; what came again is inserted below.
update {{ child.raw }} t
set _deleted_at = f._valid_to, _observed_at = f._valid_to, _valid_from = f._valid_to, _run_id = {{ run_id }}
from {{ former_child }} f
where t.{{ child.bounds }} and {{ same('t', 'f', child.key) }} and t._deleted_at is null;

delete from {{ child.raw }} t
where t.{{ child.bounds }} and exists (select 1 from {{ incoming_child }} n where {{ same('n', 't', child.key) }});

{% endif -%}
delete from {{ child.raw }} t
where t.{{ child.bounds }}{% if child.keeps_vanished %} and t._deleted_at is null{% endif %}

  and exists (select 1 from {{ incoming }} p where p._verdict in ('changed', 'unchanged') and {{ same_as_parent('t', 'p', child) }});

insert into {{ child.raw }} ({{ list(child.columns) }})
select {{ loaded(child.columns) }}
from {{ incoming_child }};

{{ check_keys(child, incoming_child) }}

insert into `{{ project }}.ops.ledger` ({{ list(ledger_columns) }})
{% for chunk in chunks -%}
select
  {{ load_id }}, 'load', {{ chunk.client_id }}, '{{ source }}', '{{ child.stream }}', '{{ child.name }}', '{{ chunk.axis }}', {{ chunk.axis_reason }},
  {{ chunk.window_start }}, {{ chunk.window_end }}, {{ chunk.observed_from }}, {{ chunk.observed_to }},
  array(select distinct d from (
    select _record_date as d from {{ incoming_child }} where _chunk = {{ chunk.number }} and not _unchanged
    union all select _record_date from {{ former_child }} where _chunk = {{ chunk.number }}) where d is not null order by d),
  {{ chunk.received[child.name] }},
  k.loaded, k.unchanged, s.superseded,
  {{ chunk.rows[child.name] }} - k.loaded - k.unchanged - s.superseded,
  {{ chunk.rejected[child.name] }},
  0, 0, 0,
  {{ chunk.contract_version }}, {{ chunk.extraction_id }}, {{ dag_id }}, {{ run_id }}, current_timestamp()
from (
  select countif(not _unchanged) as loaded, countif(_unchanged) as unchanged
  from {{ incoming_child }} where _chunk = {{ chunk.number }}
) k
cross join (
  select count(*) as superseded from {{ chunk.stages[child.name] }} s
  join {{ incoming }} p on {{ same_as_parent('s', 'p', child) }} and p._chunk = {{ chunk.number }} and s._observed_at = p._observed_at
  where p._verdict = 'superseded'
) s
{% if not loop.last %}union all
{% endif %}{% endfor %};
{% endfor %}
-- ---- 7 rejects
{% if rejects -%}
insert into `{{ project }}.ops.rejects` ({{ list(reject_columns) }}, load_id, run_id, rejected_at)
select {{ list(reject_columns) }}, {{ load_id }}, {{ run_id }}, current_timestamp() from {{ rejects }};
{% endif %}
-- Rejects that are settled now: their landing was read well, or the record as it was then or later, or it is gone.
create or replace temp table {{ open }} as
select * from `{{ project }}.ops.open_rejects` where source = '{{ source }}' and stream = '{{ own.stream }}';

insert into `{{ project }}.ops.reject_resolutions` ({{ list(resolution_columns) }}, load_id, run_id, resolved_at)
select {{ list(resolution_columns) }}, {{ load_id }}, {{ run_id }}, current_timestamp()
from (
  select o.* except (_observed_at), s.resolution, s._observed_at
  from {{ open }} o
  join (
    select client_id, {{ record_key('i') }} as record_key, _observed_at,
      if(_row_hash is null and _verdict != 'superseded', 'gone', 'read') as resolution
    from {{ incoming }} i
{% if rejects %}    union all
    select t.client_id, r.record_key, t._observed_at, if(t._deleted_at is null, 'read', 'gone')
    from {{ own.raw }} t
    join {{ rejects }} r on t.client_id = r.client_id and {{ record_key('t') }} = r.record_key
    where t._record_date >= date '0001-01-01'
{% endif %}    union all
    -- What was settled once is, when its folder is loaded again.
    select client_id, record_key, _gone_at, 'gone' from {{ unread }}
  ) s on o.client_id = s.client_id and o.record_key = s.record_key and o._observed_at <= s._observed_at
{% for chunk in chunks %}  union all
  select o.* except (_observed_at), 'read', o._observed_at
  from {{ open }} o
  where o.client_id = {{ chunk.client_id }} and o.extraction_id = {{ chunk.extraction_id }} and o.load_id != {{ load_id }}
{% if chunk.tombstones %}  union all
  -- The listing no longer has it, and raw has no row that could become its tombstone.
  select o.* except (_observed_at), if(o.record_key is null, 'read', 'gone'), {{ chunk.observed_from }}
  from {{ open }} o
{% if not chunk.everything %}  join (
    select distinct extraction_id from `{{ project }}.ops.ledger`
    where kind = 'load' and table_name = '{{ own.name }}' and client_id = {{ chunk.client_id }} and window_end <= {{ chunk.window_end }}
{% if not chunk.from_the_first_day %}      and axis = 'created' and window_start >= {{ chunk.window_start }}
{% endif %}  ) l on o.extraction_id = l.extraction_id
{% endif %}  left join {{ incoming }} i on o.client_id = i.client_id and o.record_key = {{ record_key('i') }}
{% if rejects %}  left join {{ rejects }} r on o.client_id = r.client_id and o.record_key = r.record_key
{% endif %}  where o.client_id = {{ chunk.client_id }} and o._observed_at < {{ chunk.observed_from }} and i.client_id is null{% if rejects %} and r.client_id is null{% endif %}

{% endif %}{% endfor %})
where true
qualify row_number() over (partition by client_id, landing_object, landing_line, landing_item order by _observed_at desc, resolution) = 1;

-- ---- 8 drift
{% if merges -%}
insert into `{{ project }}.ops.schema_drift` (client_id, source, stream, table_name, kind, column_path, found, records, pointer, contract_version, load_id, run_id, seen_at)
select client_id, '{{ source }}', '{{ own.stream }}', '{{ own.name }}', 'merge', '{{ merges }}', 'the id of a record that is listed alive',
  count(*), cast(null as string), {{ chunks[0].contract_version }}, {{ load_id }}, {{ run_id }}, current_timestamp()
from (
  select s._chunk, s.client_id, {{ list(own.key, 's.') }}
  from (
    {{ staged(own) }}
  ) s
  where true
  group by s._chunk, s.client_id, {{ list(own.key, 's.') }}
  having countif(s._row_hash is null) > 0 and countif(s._row_hash is not null and s._deleted_at is null) > 0
)
group by client_id;
{% endif %}
{% if drift -%}
insert into `{{ project }}.ops.schema_drift` (client_id, source, stream, table_name, kind, column_path, found, records, pointer, contract_version, load_id, run_id, seen_at)
values
{% for row in drift %}  ({{ row }}, {{ load_id }}, {{ run_id }}, current_timestamp()){% if not loop.last %},
{% endif %}{% endfor %};
{% endif %}
-- ---- 9 conserved
-- What the API answered is accounted for, record by record.
select if(count(*) = 0, 'ok', error(concat('{{ own.name }}: ', string_agg(concat(
  table_name, ' of client ', client_id, ' received ', cast(received as string), ', accounted for ',
  cast(loaded + unchanged + superseded + duplicate + rejected as string)), '; '), '; nothing was loaded')))
from `{{ project }}.ops.ledger`
where load_id = {{ load_id }} and (received != loaded + unchanged + superseded + duplicate + rejected or duplicate < 0);

commit transaction;
