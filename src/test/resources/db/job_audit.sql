-- Writes down every change of state, lease or epoch, whoever makes it. Refuses nothing: what is wrong is to be seen.
create table job_audit (
  seq        bigserial primary key,
  at         timestamptz not null default clock_timestamp(),
  job_id     uuid not null,
  old_state  text,
  new_state  text not null,
  old_epoch  int,
  new_epoch  int not null,
  old_lease  uuid,
  new_lease  uuid,
  old_until  timestamptz,     -- when the lease that was replaced or ended would have run out
  old_run_at timestamptz,
  owner      text,            -- who holds the lease afterwards, or held it before
  failures   int not null,
  lost       int not null
);

create function job_audit() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    insert into job_audit (job_id, new_state, new_epoch, new_lease, failures, lost)
    values (new.id, new.state, new.epoch, new.lease_id, new.failures, new.lost);
  elsif old.phase = 2 or old.state <> new.state or old.epoch <> new.epoch or old.lease_id is distinct from new.lease_id then
    insert into job_audit (job_id, old_state, new_state, old_epoch, new_epoch, old_lease, new_lease, old_until, old_run_at,
                           owner, failures, lost)
    values (new.id, old.state, new.state, old.epoch, new.epoch, old.lease_id, new.lease_id, old.lease_until, old.run_at,
            coalesce(new.lease_owner, old.lease_owner), new.failures, new.lost);
  end if;
  return null;
end
$$;

create trigger job_audit after insert or update on job for each row execute function job_audit();
