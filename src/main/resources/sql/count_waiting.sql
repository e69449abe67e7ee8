-- Count the jobs that wait for their time, by queue: those that are due next, up to a bound.
-- $1 most jobs counted
-- One row per queue. overdue: due by now, and in no state to say so before somebody looks.
select queue, count(*) filter (where run_at > now()) as waiting, count(*) filter (where run_at <= now()) as overdue,
       extract(epoch from now() - min(run_at))::float8 as first_age
  from (select queue, run_at from job where phase = 0 and run_at > '-infinity'::timestamptz order by run_at limit $1::int) as job
 group by queue
