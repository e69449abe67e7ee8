-- The queues that have jobs on no stream, found by hopping over the index from one name to the next: cost grows with the
-- number of queues, not of jobs.
-- $1 most queues
with recursive hop(queue) as (
  (select queue from job where phase = 1 and dispatched_at is null order by queue limit 1)
  union all
  select (select queue from job where phase = 1 and dispatched_at is null and queue > hop.queue order by queue limit 1)
    from hop
   where hop.queue is not null
)
select queue from hop where queue is not null limit $1::int
