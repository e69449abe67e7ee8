-- Record failed attempts and when to try again.
-- $1 job ids   $2 epochs   $3 lease ids   $4 failures (JSON text)   $5 delays, ms
-- One row per job recorded, with when it is due in epoch ms, rounded up. No row: the lease was lost; send no Redis command.
-- "= any(array[...])" and not "=": while the table is small, a join could be planned as a walk over all of it (EnginePlanTest).
with retried as (
  update job j
     set state = 'RETRYING', phase = 0, failures = failures + 1, failure = u.failure::json,
         run_at = now() + u.delay_ms * interval '1 millisecond', dispatched_at = null,
         lease_id = null, lease_until = null
    from unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[], $5::bigint[]) as u(id, epoch, lease_id, failure, delay_ms)
   where j.id = any(array[u.id]) and j.epoch = u.epoch and j.lease_id = u.lease_id
  returning j.id, j.epoch, j.failure, j.lease_owner, j.started_at, j.run_at
), attempted as (
  insert into job_attempt (job_id, epoch, outcome, failure, worker, started_at, ended_at)
  select id, epoch, 'RETRIED', failure, lease_owner, started_at, now() from retried
      on conflict do nothing
)
select id, epoch, ceil(extract(epoch from run_at) * 1000)::bigint as due_ms from retried
