-- Record attempts that succeeded.
-- $1 job ids   $2 epochs   $3 lease ids   $4 results (JSON text or null)
-- One row per job recorded. No row: the lease was lost and another worker owns the job; send no Redis command for it.
-- "= any(array[...])" and not "=": while the table is small, a join could be planned as a walk over all of it (EnginePlanTest).
update job j
   set state = 'COMPLETED', phase = 2, result = u.result::json, failure = null,
       lease_id = null, lease_until = null, finished_at = now()
  from unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[]) as u(id, epoch, lease_id, result)
 where j.id = any(array[u.id]) and j.epoch = u.epoch and j.lease_id = u.lease_id
returning j.id, j.epoch
