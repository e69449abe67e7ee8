-- Delete the jobs of one page of ids that ended long enough ago, with their attempts and files.
-- $1 only ids below this one   $2 and not below this one   $3 most jobs to look at, from the greatest id down
-- $4 how long to keep them, ms, as JSON: by 'queue/STATE', else by 'STATE'; a state without an entry is not deleted
-- A row for each queue and state of which there were any, with how many; one with nulls if there were none. Every row says how many
-- jobs were looked at, and the lowest id of those. The rows are locked before they are deleted, and looked at as they are then: a job
-- that is replayed at this moment stays. Locked rows are skipped, so any number of processes may run this at once.
with page as (
  select id, phase, queue, state, finished_at
    from job
   where id < $1::uuid and id >= $2::uuid
   order by id desc
   limit $3::int
), due as (
  select id
    from job
   where id = any(array(select id
                          from page
                         where phase = 2 and finished_at < now() - interval '1 millisecond'
                               * coalesce($4::text::jsonb ->> (queue || '/' || state), $4::text::jsonb ->> state)::bigint))
     and phase = 2 and finished_at < now() - interval '1 millisecond'
         * coalesce($4::text::jsonb ->> (queue || '/' || state), $4::text::jsonb ->> state)::bigint
     for update skip locked
), deleted as (
  delete from job where id = any(array(select id from due)) returning id, queue, state
), attempts as (
  delete from job_attempt where job_id = any(array(select id from deleted))
), artifacts as (
  delete from job_artifact where job_id = any(array(select id from deleted))
)
select looked_at.count, looked_at.lowest, deletions.queue, deletions.state, deletions.count
  from (select count(*)::int as count, (select id from page order by id limit 1) as lowest from page) as looked_at
  left join (select queue, state, count(*)::int as count from deleted group by queue, state) as deletions on true
