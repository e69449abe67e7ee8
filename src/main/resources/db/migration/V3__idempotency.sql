-- What makes a repeated request, and a repeated effect, happen once. See docs/guarantees.md.

-- At most one job of a type with this key may be there that has not ended.
alter table job add column unique_key text;               -- null: any number of such jobs
-- Partial: a row without a key never enters it, and pays for it with a look at one null. Its predicate names phase, which a claim
-- of a PENDING job does not change: that stays a heap-only update.
create unique index job_unique on job (tenant, type, unique_key) where unique_key is not null and phase < 2;

-- The requests that were handed in with an idempotency key, and what was answered. The answer is whole: it can be repeated though the
-- job has gone on since, or was deleted.
create table idempotency_key (
  tenant     text not null,
  key        text not null,
  body_hash  bytea not null,                              -- SHA-256 of the request as it was read
  job_id     uuid not null,
  verdict    text not null,                               -- CREATED, RETURNED or REPLACED
  queue      text not null,
  state      text not null,
  run_at     timestamptz not null,
  created_at timestamptz not null,                        -- of the job
  expires_at timestamptz not null,                        -- from then on the key is free
  primary key (tenant, key)
);
create index idempotency_key_expiry on idempotency_key (expires_at);

-- What handlers did to the outside world, so that it is done once even if two jobs ask for it.
create table effect (
  tenant     text not null,
  key        text not null,
  job_id     uuid not null,                               -- who has begun it last
  epoch      int not null,                                -- in which attempt
  done_at    timestamptz,                                 -- null: in progress, or its owner has ended without doing it
  begun_at   timestamptz not null,
  expires_at timestamptz not null,
  primary key (tenant, key)
);
create index effect_expiry on effect (expires_at);
