-- The queues that have ready, running or given up jobs, found as in find_waiting_queues: cost grows with the number of queues.
-- $1 most queues; of each of the three kinds no more are searched for either
with recursive undispatched(queue) as (
  (select queue from job where phase = 1 and dispatched_at is null order by queue limit 1)
  union all
  select (select queue from job where phase = 1 and dispatched_at is null and queue > undispatched.queue order by queue limit 1)
    from undispatched
   where undispatched.queue is not null
), dispatched(queue) as (
  (select queue from job where phase = 1 and dispatched_at is not null order by queue limit 1)
  union all
  select (select queue from job where phase = 1 and dispatched_at is not null and queue > dispatched.queue order by queue limit 1)
    from dispatched
   where dispatched.queue is not null
), dead(queue) as (
  (select queue from job where failure is not null and phase = 2 order by queue limit 1)
  union all
  select (select queue from job where failure is not null and phase = 2 and queue > dead.queue order by queue limit 1)
    from dead
   where dead.queue is not null
)
select queue
  from ((select queue from undispatched limit $1::int)
        union
        (select queue from dispatched limit $1::int)
        union
        (select queue from dead limit $1::int)) as named
 where queue is not null
 limit $1::int
