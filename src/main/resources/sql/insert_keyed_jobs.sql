-- Accept a batch of jobs that have an idempotency key, a unique key or both. What is decided, and the key that says so, are
-- committed together.
-- $1 ids   $2 tenants   $3 queues   $4 types   $5 priorities   $6 payloads (JSON text)   $7 options (JSON text or null)
-- $8 tags (text array literal or null)   $9 max attempts   $10 run at (or null)   $11 delay, ms (or null; $10 wins)
-- $12 dispatch, as for insert_jobs   $13 idempotency keys (or null)   $14 hashes of the requests (hex, or null)
-- $15 how long a key is kept, ms   $16 unique keys (or null)   $17 on conflict: return, reject or replace (or null)
-- $18 acts: true for one of the jobs of this batch with the same unique key, which is inserted if there is none; the others cannot see
-- it yet
-- No idempotency key may be in a batch twice. Whoever runs this passes the jobs in the order of their unique keys, so that two
-- batches wait for each other in one order: jobs to be replaced, then idempotency keys, then unique keys.
-- One row per job that was decided: CREATED, RETURNED (the job with the unique key as it is), REPLACED (it has the new payload), or
-- REJECTED (nothing was done; if there is an idempotency key, look it up first: the request may be a repeat).
-- No row: the idempotency key is taken, or another transaction was at the unique key at the same moment. Fails with a violation of
-- job_unique, and does nothing at all, if another batch has just brought a job with one of the unique keys: repeat it.
-- "= any(array[...])" and not "=": while the table is small, a join could be planned as a walk over all of it (EnginePlanTest).
with given as materialized (
  select u.*, due.at as due_at,
         holder.id as holder_id, holder.queue as holder_queue, holder.run_at as holder_run_at, holder.created_at as holder_created_at,
         coalesce(held.state, holder.state) as holder_state,
         case when holder.id is null then case when u.acts then 'CREATED' end
              when u.on_conflict = 'return' then 'RETURNED'
              when u.on_conflict = 'reject' or held.state = 'PROCESSING' then 'REJECTED'
              when held.state is not null then 'REPLACED' end as verdict
    from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::smallint[], $6::text[], $7::text[], $8::text[], $9::int[],
                $10::timestamptz[], $11::bigint[], $12::boolean[], $13::text[], $14::text[], $16::text[], $17::text[], $18::boolean[])
           with ordinality
           as u(id, tenant, queue, type, priority, payload, options, tags, max_attempts, run_at, delay_ms, dispatch,
                idempotency_key, body_hash, unique_key, on_conflict, acts, place)
         cross join lateral (select coalesce(u.run_at, now() + u.delay_ms * interval '1 millisecond', now())) as due(at)
         left join lateral (
           select j.id, j.queue, j.state, j.run_at, j.created_at
             from job j
            where j.tenant = u.tenant and j.type = u.type and j.unique_key = u.unique_key
              and j.unique_key is not null and j.phase < 2
            -- There is one at most; so the planner looks it up for each row, whatever it knows of the table.
            limit 1
         ) as holder on true
         left join lateral (
           -- As it is now, and it stays so: a claim waits until this has ended, or was faster.
           select j.state
             from job j
            where u.on_conflict = 'replace' and j.id = any(array[holder.id]) and j.phase < 2
              for no key update
         ) as held on true
), keyed as (
  insert into idempotency_key as k
         (tenant, key, body_hash, job_id, verdict, queue, state, run_at, created_at, expires_at)
  select tenant, idempotency_key, decode(body_hash, 'hex'), coalesce(holder_id, id), verdict, coalesce(holder_queue, queue),
         coalesce(holder_state, case when due_at > now() then 'SCHEDULED' else 'PENDING' end),
         coalesce(holder_run_at, due_at), coalesce(holder_created_at, now()), now() + $15::bigint * interval '1 millisecond'
    from given
   where idempotency_key is not null and verdict <> 'REJECTED'
   order by tenant, idempotency_key
      on conflict (tenant, key) do update
         set body_hash = excluded.body_hash, job_id = excluded.job_id, verdict = excluded.verdict, queue = excluded.queue,
             state = excluded.state, run_at = excluded.run_at, created_at = excluded.created_at, expires_at = excluded.expires_at
       where k.expires_at <= now()
  returning k.tenant, k.key
), decided as materialized (
  select *
    from given
   where verdict = 'REJECTED'
      or verdict is not null and idempotency_key is null
      -- Not a join: every row would be compared with every other.
      or verdict is not null and (tenant, idempotency_key) in (select tenant, key from keyed)
), replaced as (
  update job j
     set payload = d.payload::json, options = d.options::json, tags = d.tags::text[], max_attempts = d.max_attempts
    -- Of several, the last one stays.
    from (select distinct on (holder_id) *
            from decided
           where verdict = 'REPLACED'
           order by holder_id, place desc) as d
   where j.id = any(array[d.holder_id])
), inserted as (
  insert into job (id, tenant, queue, type, priority, payload, options, tags, state, phase, max_attempts, run_at, dispatched_at,
                   created_at, unique_key)
  select id, tenant, queue, type, priority, payload::json, options::json, tags::text[],
         case when due_at > now() then 'SCHEDULED' else 'PENDING' end,
         case when due_at > now() then 0 else 1 end,
         max_attempts, due_at,
         case when dispatch and due_at <= now() then now() end,
         now(), unique_key
    from decided
   where verdict = 'CREATED'
   order by tenant, type, unique_key
)
select id, verdict, coalesce(holder_id, id) as job_id, coalesce(holder_queue, queue) as queue,
       coalesce(holder_state, case when due_at > now() then 'SCHEDULED' else 'PENDING' end) as state,
       coalesce(holder_run_at, due_at) as run_at, coalesce(holder_created_at, now()) as created_at
  from decided
