-- Give jobs up.
-- $1 job ids   $2 epochs   $3 lease ids   $4 failures (JSON text, with the reason)
-- One row per job recorded. No row: the lease was lost and another worker owns the job; send no Redis command for it.
-- "= any(array[...])" and not "=": while the table is small, a join could be planned as a walk over all of it (EnginePlanTest).
with failed as (
  update job j
     set state = 'FAILED', phase = 2, failures = failures + 1, failure = u.failure::json,
         lease_id = null, lease_until = null, finished_at = now()
    from unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[]) as u(id, epoch, lease_id, failure)
   where j.id = any(array[u.id]) and j.epoch = u.epoch and j.lease_id = u.lease_id
  returning j.id, j.epoch, j.failure, j.lease_owner, j.started_at
), attempted as (
  insert into job_attempt (job_id, epoch, outcome, failure, worker, started_at, ended_at)
  select id, epoch, 'DEAD_LETTERED', failure, lease_owner, started_at, now() from failed
      on conflict do nothing
)
select id, epoch from failed
