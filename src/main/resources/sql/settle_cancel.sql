-- Record that running jobs were stopped because someone cancelled them.
-- $1 job ids   $2 epochs   $3 lease ids
-- One row per job recorded. No row: the lease was lost and another worker owns the job; send no Redis command for it.
update job j
   set state = 'CANCELLED', phase = 2, lease_id = null, lease_until = null, finished_at = now()
  from unnest($1::uuid[], $2::int[], $3::uuid[]) as u(id, epoch, lease_id)
 where j.id = u.id and j.epoch = u.epoch and j.lease_id = u.lease_id
returning j.id, j.epoch
