-- Count the jobs of one queue, up to a bound, so that the cost does not grow with the table.
-- $1 queue   $2 most jobs counted of each priority on the stream, and again of those on none   $3 most dead letters counted
-- One row. ready: they could run now; ready_age: seconds since the one of these that has waited longest could, null if there is none.
with open as (
  select job.*
    from unnest(array[0, 1, 2]::smallint[]) as p(priority)
   cross join lateral (
    (select state, run_at, started_at from job
      where phase = 1 and dispatched_at is not null and queue = $1::text and priority = p.priority
      order by dispatched_at
      limit $2::int)
    union all
    (select state, run_at, started_at from job
      where phase = 1 and dispatched_at is null and queue = $1::text and priority = p.priority
      limit $2::int)) as job
)
select count(*) filter (where state = 'PENDING') as ready,
       count(*) filter (where state = 'PROCESSING') as running,
       extract(epoch from now() - min(greatest(run_at, started_at)) filter (where state = 'PENDING'))::float8 as ready_age,
       (select count(*)
          from (select state from job where failure is not null and phase = 2 and queue = $1::text limit $3::int) as ended
         where state = 'FAILED') as dead
  from open
