-- Take jobs whose entries were delivered to somebody else and never finished: as claim_jobs, and also jobs whose lease ran out.
-- $1 job ids   $2 lease id, new for each batch   $3 worker name   $4 lease, ms   $5 lost leases after which a job is given up
-- One row per job taken. A repeat with the same lease id returns what it took the first time (the answer was lost), and nothing is
-- counted twice.
-- No row: as claim_jobs; or the job has lost so many leases that it is not run again, which is the reaper's to record.
-- The rows are locked first, and looked at as they are then: an attempt that is recorded at this moment is not a lost one.
-- "= any(array[...])" and not "=": while the table is small, a join could be planned as a walk over all of it (EnginePlanTest).
with stuck as (
  select id, state, epoch, lease_id, lease_owner, started_at
    from job
   where id = any($1::uuid[])
     and (state = 'PENDING' or lease_id = $2::uuid or (state in ('SCHEDULED', 'RETRYING') and run_at <= now())
          or (state = 'PROCESSING' and lease_until < now() and lost + 1 < $5::int))
   order by id
     for update
), attempted as (
  insert into job_attempt (job_id, epoch, outcome, failure, worker, started_at, ended_at)
  select id, epoch, 'RECLAIMED',
         json_build_object('error', 'WorkerLost', 'message', 'the lease of worker ' || lease_owner || ' ran out'),
         lease_owner, started_at, now()
    from stuck
   where state = 'PROCESSING' and lease_id <> $2::uuid
      on conflict do nothing
)
update job j
   set state = 'PROCESSING', phase = 1,
       epoch = j.epoch + (stuck.lease_id is distinct from $2::uuid)::int,
       lost = j.lost + (stuck.state = 'PROCESSING' and stuck.lease_id is distinct from $2::uuid)::int,
       lease_id = $2::uuid, lease_owner = $3::text, lease_until = now() + $4::bigint * interval '1 millisecond',
       dispatched_at = coalesce(j.dispatched_at, now()),
       started_at = now()
  from stuck
 where j.id = any(array[stuck.id])
returning j.id, j.tenant, j.queue, j.type, j.priority, j.payload::text as payload, j.options::text as options, j.epoch, j.failures,
          j.lost, j.max_attempts, j.cancel_requested,
          case when j.epoch = 1 then (greatest(0, date_part('epoch', now() - j.run_at)) * 1e6)::bigint else -1 end as waited_us
