-- Waiting jobs that will be due soon, to put them into the delayed set. Overdue ones are the reconciler's.
-- $1 look ahead, ms   $2 start behind this time   $3 and this id   $4 most rows
-- One row per job, soonest first, with when it is due in epoch ms, rounded up.
select id, queue, priority, run_at, ceil(extract(epoch from run_at) * 1000)::bigint as due_ms
  from job
 where phase = 0
   and run_at > now() and run_at <= now() + $1::bigint * interval '1 millisecond'
   and run_at >= $2::timestamptz and (run_at, id) > ($2::timestamptz, $3::uuid)
 order by run_at, id
 limit $4::int
