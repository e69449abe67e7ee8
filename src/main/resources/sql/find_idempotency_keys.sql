-- What was answered to requests with these keys.
-- $1 tenants   $2 idempotency keys
-- One row per key that is taken; one whose time is up is free.
select k.tenant, k.key, encode(k.body_hash, 'hex') as body_hash, k.verdict, k.job_id, k.queue, k.state, k.run_at, k.created_at
  from unnest($1::text[], $2::text[]) as u(tenant, key)
       join idempotency_key k on k.tenant = u.tenant and k.key = u.key
 where k.expires_at > now()
