-- Who may use the API. See docs/security.md. Hibernate reads and writes these, and nothing else.
create table account (
  id            uuid primary key,
  username      text not null unique,           -- in lower case; unique over all tenants, because a login names no tenant
  password_hash text not null,                  -- Argon2id, with its salt and costs, as a PHC string
  tenant        text not null,
  group_names   text not null,                  -- with blanks between them
  created_at    timestamptz not null
);
create index account_tenant on account (tenant);

-- A login, kept alive by refresh tokens of which only the latest is valid.
create table account_session (
  id         uuid primary key,                  -- part of each of its refresh tokens
  account_id uuid not null references account on delete cascade,
  token_hash bytea not null,                    -- SHA-256 of the latest one
  created_at timestamptz not null,
  expires_at timestamptz not null
);
create index account_session_account on account_session (account_id);

create table api_key (
  id          uuid primary key,
  tenant      text not null,
  name        text not null,
  key_hash    bytea not null unique,            -- SHA-256
  group_names text not null,
  created_at  timestamptz not null,
  expires_at  timestamptz                       -- null: until it is revoked
);
create index api_key_tenant on api_key (tenant);
