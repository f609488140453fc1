-- Ends in an error that names each stream whose loads cover less than its contract promises.
with expected as (
%{ for index, row in expected ~}
  %{ if index > 0 }union all %{ endif }select '${row.source}' as source, '${row.stream}' as stream, '${row.client_id}' as client_id, ${row.hours} as hours
%{ endfor ~}
),
late as (
  select concat(e.source, '.', e.stream, ' of client ', e.client_id) as name
  from expected e
  left join `${project}.ops.stream_status` s
    on s.source = e.source and s.stream = e.stream and s.client_id = e.client_id
  where s.covered_until is null or s.covered_until < timestamp_sub(current_timestamp(), interval e.hours hour)
)
select if(count(*) = 0, 'ok', error(concat('stale: ', string_agg(name, ', ')))) as outcome from late;
