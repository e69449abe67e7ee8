-- A page of jobs, newest first. A filter that is null does not filter.
-- Payloads and results of more than 4,000 characters are left out, so that a page stays small.
-- $1 tenant   $2 start behind this id   $3 not before this id   $4 state   $5 queue   $6 type   $7 tag   $8 most rows
select id, tenant, queue, type, unique_key, priority, case when length(payload::text) <= 4000 then payload::text end as payload, options::text as options, tags, state, epoch, failures, lost,
       max_attempts, run_at, cancel_requested, case when length(result::text) <= 4000 then result::text end as result, failure::text as failure, lease_owner, lease_until,
       created_at, started_at, finished_at
  from job
 where tenant = $1::text
   and id < $2::uuid and id >= $3::uuid
   and ($4::text is null or state = $4::text)
   and ($5::text is null or queue = $5::text)
   and ($6::text is null or type = $6::text)
   and ($7::text is null or tags @> array[$7::text])
 order by id desc
 limit $8::int
