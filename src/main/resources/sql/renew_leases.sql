-- Keep the leases of running jobs.
-- $1 job ids   $2 epochs   $3 lease ids   $4 lease, ms from now
-- One row per lease that still holds, with whether the job should stop. No row: the lease is lost, stop and record nothing.
update job j
   set lease_until = now() + $4::bigint * interval '1 millisecond'
  from unnest($1::uuid[], $2::int[], $3::uuid[]) as u(id, epoch, lease_id)
 where j.id = u.id and j.epoch = u.epoch and j.lease_id = u.lease_id
returning j.id, j.epoch, j.cancel_requested
