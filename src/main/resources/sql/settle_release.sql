-- Hand running jobs back at a shutdown: ready again, nothing counted. Their ids go onto the stream again right after this.
-- $1 job ids   $2 epochs   $3 lease ids
-- One row per job recorded. No row: the lease was lost and another worker owns the job; send no Redis command for it.
-- "= any(array[...])" and not "=": while the table is small, a join could be planned as a walk over all of it (EnginePlanTest).
update job j
   set state = 'PENDING', phase = 1, dispatched_at = now(), lease_id = null, lease_until = null
  from unnest($1::uuid[], $2::int[], $3::uuid[]) as u(id, epoch, lease_id)
 where j.id = any(array[u.id]) and j.epoch = u.epoch and j.lease_id = u.lease_id
returning j.id, j.epoch
