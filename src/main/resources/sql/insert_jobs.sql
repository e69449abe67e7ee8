-- Accept a batch of jobs. A job that is due is PENDING, another SCHEDULED.
-- $1 ids   $2 tenants   $3 queues   $4 types   $5 priorities   $6 payloads (JSON text)   $7 options (JSON text or null)
-- $8 tags (text array literal or null)   $9 max attempts   $10 run at (or null)   $11 delay, ms (or null; $10 wins)
-- $12 dispatch: true if the caller puts the id on the stream right after this, in case the job is due
-- One row per job. An id that was there before fails the statement: ids are made for each job, so there is no such thing to look
-- for, and looking cost a sixth of the statement.
insert into job (id, tenant, queue, type, priority, payload, options, tags, state, phase, max_attempts, run_at, dispatched_at, created_at)
select u.id, u.tenant, u.queue, u.type, u.priority, u.payload::json, u.options::json, u.tags::text[],
       case when due.at > now() then 'SCHEDULED' else 'PENDING' end,
       case when due.at > now() then 0 else 1 end,
       u.max_attempts, due.at,
       case when u.dispatch and due.at <= now() then now() end,
       now()
  from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::smallint[], $6::text[], $7::text[], $8::text[], $9::int[],
              $10::timestamptz[], $11::bigint[], $12::boolean[])
         as u(id, tenant, queue, type, priority, payload, options, tags, max_attempts, run_at, delay_ms, dispatch)
       cross join lateral (select coalesce(u.run_at, now() + u.delay_ms * interval '1 millisecond', now())) as due(at)
returning id, state, run_at, created_at
