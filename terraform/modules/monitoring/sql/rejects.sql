-- Ends in an error that names each stream with rejects among the loads of the last day. Above the contract's limit the
-- load fails by itself; this tells of the few that are set aside below it.
with rejected as (
  select concat(source, '.', stream, ' of client ', client_id, ': ', cast(sum(rejected) as string)) as name
  from `${project}.ops.ledger`
  where kind = 'load' and loaded_at > timestamp_sub(current_timestamp(), interval 24 hour)
  group by source, stream, client_id
  having sum(rejected) > 0
)
select if(count(*) = 0, 'ok', error(concat('rejects: ', string_agg(name, ', ')))) as outcome from rejected;
