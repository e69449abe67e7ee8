-- Take jobs back whose lease ran out: their worker died, or nobody has heard of it for too long.
-- $1 most rows   $2 lost leases after which a job is given up
-- One row per job, with what became of it. The row locks are skipped, so any number of reapers share the work, and the row is
-- looked at as it is then: a job that was settled or renewed a moment ago is left alone.
-- "= any(array[...])" and not "=": while the table is small, a join could be planned as a walk over all of it (EnginePlanTest).
with expired as (
  select id
    from job
   where phase = 1 and dispatched_at is not null and state = 'PROCESSING' and lease_until < now()
   order by queue, priority, dispatched_at
   limit $1::int
     for update skip locked
), reaped as (
  update job j
     set state = case when old.cancel_requested then 'CANCELLED' when old.lost + 1 >= $2::int then 'FAILED' else 'PENDING' end,
         phase = case when old.cancel_requested or old.lost + 1 >= $2::int then 2 else 1 end,
         finished_at = case when old.cancel_requested or old.lost + 1 >= $2::int then now() end,
         failure = case when old.lost + 1 >= $2::int and not old.cancel_requested
                        then json_build_object('reason', 'WORKER_LOST', 'error', 'WorkerLost', 'message',
                               'the lease of worker ' || old.lease_owner || ' ran out, for the ' || old.lost + 1 || '. time')
                        else j.failure end,
         lost = old.lost + 1, dispatched_at = null, lease_id = null, lease_until = null
    from job old
   where old.id = any(array[j.id]) and j.id = any(array(select id from expired))
     and j.state = 'PROCESSING' and j.lease_until < now()
  returning j.id, j.epoch, j.queue, j.priority, j.state, old.lease_owner, j.started_at
), attempted as (
  insert into job_attempt (job_id, epoch, outcome, failure, worker, started_at, ended_at)
  select id, epoch, 'REAPED',
         json_build_object('error', 'WorkerLost', 'message', 'the lease of worker ' || lease_owner || ' ran out'),
         lease_owner, started_at, now()
    from reaped
      on conflict do nothing
)
select id, queue, priority, state from reaped
