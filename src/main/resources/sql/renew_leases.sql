-- Keep the leases of running jobs.
-- $1 job ids   $2 epochs   $3 lease ids   $4 lease, ms from now
-- One row per lease that still holds, with whether the job should stop. No row: the lease is lost, stop and record nothing.
-- "= any(array[...])" and not "=": while the table is small, a join could be planned as a walk over all of it (EnginePlanTest).
update job j
   set lease_until = now() + $4::bigint * interval '1 millisecond'
  from unnest($1::uuid[], $2::int[], $3::uuid[]) as u(id, epoch, lease_id)
 where j.id = any(array[u.id]) and j.epoch = u.epoch and j.lease_id = u.lease_id
returning j.id, j.epoch, j.cancel_requested
