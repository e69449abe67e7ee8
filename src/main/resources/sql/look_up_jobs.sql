-- Why a claim did not return these jobs.
-- $1 job ids
-- One row per known job: its state, its epoch, when it is due in epoch ms, and how long until then in ms, both rounded up.
select id, state, epoch, ceil(extract(epoch from run_at) * 1000)::bigint as due_ms,
       ceil(extract(epoch from run_at - now()) * 1000)::bigint as wait_ms
  from job
 where id = any($1::uuid[])
