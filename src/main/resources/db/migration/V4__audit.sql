-- Who did what. See docs/security.md. A row is written in the transaction of what it tells of, is never changed, and is deleted when
-- it is old. The lengths are cut by the application; here they only keep a mistake small.
create table audit (
  id         uuid primary key,                                 -- UUIDv7: ordered by time
  tenant     text,                                             -- null: a failed login with a name that nobody has
  at         timestamptz not null,                             -- the time in the id
  actor_kind text not null,                                    -- user, federated, api-key, anybody or system
  actor      text not null check (length(actor) <= 200),
  actor_id   uuid,                                             -- of the account or API key, where it is known
  action     text not null,
  target     text check (length(target) <= 200),               -- id of the job, account or API key
  outcome    text not null check (outcome in ('done', 'requested', 'refused')),
  address    text check (length(address) <= 200),
  request_id text check (length(request_id) <= 200),           -- as the client or a proxy gave it
  details    jsonb check (length(details::text) <= 4000)
);
create index audit_tenant on audit (tenant, id);

-- The lists of a tenant. Without it a tenant with few jobs waits until those of all others have been looked through: 1.2 s for a
-- million. It costs each insert 1 to 2 microseconds and 85 bytes of WAL, and no update, because neither column ever changes.
create index job_tenant on job (tenant, id);
