-- The attempts of a job that did not succeed, oldest first.
-- $1 tenant   $2 job id   $3 most rows
-- No row: there was none, or there is no such job in this tenant.
select a.epoch, a.outcome, a.failure::text as failure, a.worker, a.started_at, a.ended_at
  from job_attempt a
  join job j on j.id = a.job_id
 where j.tenant = $1::text and a.job_id = $2::uuid
 order by a.epoch
 limit $3::int
