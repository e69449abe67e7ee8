-- A file that a job made.
-- $1 tenant   $2 job id   $3 name
-- No row: there is no such file, or no such job in this tenant.
select a.content_type, a.bytes
  from job_artifact a
  join job j on j.id = a.job_id
 where j.tenant = $1::text and a.job_id = $2::uuid and a.name = $3::text
