-- Cancel a job: at once if it waits, by telling its worker if it runs. If it does either, the audit log tells who wanted it.
-- $1 tenant   $2 job id   $3 the row of the audit log (JSON text)
-- One row with the state it has now: CANCELLED, or PROCESSING if its worker will be told. No row: it has ended, or is unknown.
with cancelled as (
  update job
     set state = case when state = 'PROCESSING' then state else 'CANCELLED' end,
         phase = case when state = 'PROCESSING' then phase else 2 end,
         dispatched_at = case when state = 'PROCESSING' then dispatched_at end,
         finished_at = case when state = 'PROCESSING' then null else now() end,
         cancel_requested = true
   where tenant = $1::text and id = $2::uuid and state in ('SCHEDULED', 'PENDING', 'RETRYING', 'PROCESSING')
  returning state
), logged as (
  insert into audit
  select row.*
    from cancelled
   cross join jsonb_populate_record(null::audit, $3::text::jsonb
              || case when state = 'PROCESSING' then '{"outcome": "requested"}' else '{}' end::jsonb) row
)
select state from cancelled
