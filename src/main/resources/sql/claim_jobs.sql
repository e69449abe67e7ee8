-- Take jobs for this worker: the right to run them. A job whose lease ran out is not taken: claim_stuck_jobs and reap_jobs do that.
-- $1 job ids   $2 lease id, new for each batch   $3 worker name   $4 lease, ms
-- One row per job taken. A repeat with the same lease id returns what it took the first time (the answer was lost), and nothing is
-- counted twice.
-- waited_us: from its due time until now if it is the first claim of the job, else -1. By date_part: extract would reckon in numeric.
-- No row: the job has ended, is not due, is held by a lease, or is unknown: look_up_jobs tells which.
update job
   set state = 'PROCESSING', phase = 1,
       epoch = epoch + (lease_id is distinct from $2::uuid)::int,
       lease_id = $2::uuid, lease_owner = $3::text, lease_until = now() + $4::bigint * interval '1 millisecond',
       dispatched_at = coalesce(dispatched_at, now()),
       started_at = now()
 where id = any($1::uuid[])
   and (state = 'PENDING' or lease_id = $2::uuid or (state in ('SCHEDULED', 'RETRYING') and run_at <= now()))
returning id, tenant, queue, type, priority, payload::text as payload, options::text as options, epoch, failures, lost,
          max_attempts, cancel_requested,
          case when epoch = 1 then (greatest(0, date_part('epoch', now() - run_at)) * 1e6)::bigint else -1 end as waited_us
