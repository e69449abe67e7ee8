-- Put jobs off without counting the attempt.
-- $1 job ids   $2 epochs   $3 lease ids   $4 delays, ms
-- One row per job recorded, with when it is due in epoch ms, rounded up. No row: the lease was lost; send no Redis command.
-- "= any(array[...])" and not "=": while the table is small, a join could be planned as a walk over all of it (EnginePlanTest).
update job j
   set state = 'SCHEDULED', phase = 0,
       run_at = now() + u.delay_ms * interval '1 millisecond', dispatched_at = null,
       lease_id = null, lease_until = null
  from unnest($1::uuid[], $2::int[], $3::uuid[], $4::bigint[]) as u(id, epoch, lease_id, delay_ms)
 where j.id = any(array[u.id]) and j.epoch = u.epoch and j.lease_id = u.lease_id
returning j.id, j.epoch, ceil(extract(epoch from j.run_at) * 1000)::bigint as due_ms
