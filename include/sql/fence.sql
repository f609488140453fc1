-- The fence of one stream. Created together with its row, so that it is never there without one.
create table if not exists `{{ project }}.{{ fence }}`
options (description = 'One row; every load of the stream updates it first, so that two of them always conflict.') as
select cast(null as string) as load_id, cast(null as timestamp) as taken_at;
