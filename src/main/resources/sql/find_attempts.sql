-- The attempts of a job that did not succeed, oldest first.
-- $1 job id   $2 most rows
select epoch, outcome, failure::text as failure, worker, started_at, ended_at
  from job_attempt
 where job_id = $1::uuid
 order by epoch
 limit $2::int
