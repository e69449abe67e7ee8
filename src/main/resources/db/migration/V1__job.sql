-- The job row: the truth about every job. See docs/state-machine.md for the states, docs/guarantees.md for who writes it when.
create table job (
  id               uuid primary key,                -- UUIDv7: ordered by time, minted by the API
  tenant           text not null,
  queue            text not null,
  type             text not null,
  priority         smallint not null check (priority between 0 and 2),   -- 0 high, 1 normal, 2 low
  payload          json not null,                   -- json, not jsonb: what the client sent, to the byte
  options          json,                            -- timeout and retry settings that differ from the type's; null for none
  tags             text[],
  state            text not null,
  phase            smallint not null,               -- 0 waiting, 1 open, 2 ended: for the predicates of the indexes only
  epoch            int not null default 0,          -- +1 per claim, never reset: the fencing token
  lease_id         uuid,                            -- set exactly while PROCESSING, so (epoch, lease_id) alone is the fence
  lease_owner      text,
  lease_until      timestamptz,
  failures         int not null default 0,          -- how often a handler said no
  lost             int not null default 0,          -- how often a lease ran out under a dead worker
  max_attempts     int not null,
  run_at           timestamptz not null,
  dispatched_at    timestamptz,                     -- null: nobody has put the id on the stream yet
  cancel_requested boolean not null default false,
  result           json,
  failure          json,
  created_at       timestamptz not null,
  started_at       timestamptz,
  finished_at      timestamptz,
  check (phase = case state
                   when 'SCHEDULED' then 0 when 'RETRYING' then 0
                   when 'PENDING' then 1 when 'PROCESSING' then 1
                   when 'COMPLETED' then 2 when 'FAILED' then 2 when 'CANCELLED' then 2 end),
  check ((state = 'PROCESSING') = (lease_id is not null))
) with (fillfactor = 40);  -- room on the page for the claim, which adds a lease, to be a heap-only update even of all its rows at once

-- No index names state or lease_until: PENDING -> PROCESSING then changes no indexed column and is a heap-only update.
create index job_undispatched on job (queue, priority, id)            where phase = 1 and dispatched_at is null;
create index job_dispatched   on job (queue, priority, dispatched_at) where phase = 1 and dispatched_at is not null;
create index job_due          on job (run_at)                         where phase = 0;

-- One row for each attempt that did not succeed; a success is described by the job row.
create table job_attempt (
  job_id     uuid not null,
  epoch      int not null,
  outcome    text not null,
  failure    json,
  worker     text,
  started_at timestamptz,
  ended_at   timestamptz not null,
  primary key (job_id, epoch)
);

-- Files a job made, written in the statement that completes it.
create table job_artifact (
  job_id       uuid not null,
  name         text not null,
  content_type text not null,
  bytes        bytea not null,
  primary key (job_id, name)
);
