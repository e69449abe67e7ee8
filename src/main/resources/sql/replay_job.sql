-- Make a job that was given up or cancelled ready again, with its counters at zero. The epoch goes on: it is the fencing token. If it
-- does, the audit log tells who wanted it.
-- $1 tenant   $2 job id   $3 another payload (JSON text), or null to keep it   $4 dispatch: true if the caller puts the id on the
-- stream right after this   $5 the row of the audit log (JSON text)
-- One row with its stream. No row: it is in no state to be replayed, or unknown; of many who try at once, one gets the row.
with replayed as (
  update job
     set state = 'PENDING', phase = 1, failures = 0, lost = 0, cancel_requested = false,
         payload = coalesce($3::text::json, payload), run_at = now(), dispatched_at = case when $4::boolean then now() end,
         started_at = null, finished_at = null
   where tenant = $1::text and id = $2::uuid and state in ('FAILED', 'CANCELLED')
  returning queue, priority
), logged as (
  insert into audit
  select row.* from replayed cross join jsonb_populate_record(null::audit, $5::text::jsonb) row
)
select queue, priority from replayed
