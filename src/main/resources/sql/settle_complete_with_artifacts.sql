-- Record one attempt that succeeded, together with the files it made: both or neither.
-- $1 job id   $2 epoch   $3 lease id   $4 result (JSON text or null)   $5 names   $6 content types   $7 contents
-- One row if recorded. No row: the lease was lost and another worker owns the job; send no Redis command for it.
with completed as (
  update job
     set state = 'COMPLETED', phase = 2, result = $4::text::json, failure = null,
         lease_id = null, lease_until = null, finished_at = now()
   where id = $1::uuid and epoch = $2::int and lease_id = $3::uuid
  returning id, epoch
), stored as (
  insert into job_artifact (job_id, name, content_type, bytes)
  select completed.id, a.name, a.content_type, a.bytes
    from completed, unnest($5::text[], $6::text[], $7::bytea[]) as a(name, content_type, bytes)
      on conflict (job_id, name) do update set content_type = excluded.content_type, bytes = excluded.bytes
)
select id, epoch from completed
