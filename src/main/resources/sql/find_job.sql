-- One job as the API shows it.
-- $1 tenant   $2 job id
-- No row: there is no such job in this tenant.
select id, tenant, queue, type, unique_key, priority, payload::text as payload, options::text as options, tags, state, epoch, failures, lost,
       max_attempts, run_at, cancel_requested, result::text as result, failure::text as failure, lease_owner, lease_until,
       created_at, started_at, finished_at
  from job
 where tenant = $1::text and id = $2::uuid
