-- On in every test: refuses what io.millrace.job.JobTransition does not list, whoever writes it.
-- {legal} is filled in from that table: ('PENDING', 'PROCESSING'), ...
create function job_transition_guard() returns trigger language plpgsql as $$
declare
  is_transition boolean := old.state <> new.state or old.lease_id is distinct from new.lease_id;
begin
  if old.phase = 2 and old.state = new.state then
    raise exception 'job %: % has ended and was written to', old.id, old.state;
  end if;
  if is_transition and (old.state, new.state) not in (values {legal}) then
    raise exception 'job %: % -> % is no transition', old.id, old.state, new.state;
  end if;
  -- A claim is the only thing that changes the epoch, and every claim does.
  if new.epoch <> old.epoch + (is_transition and new.state = 'PROCESSING')::int then
    raise exception 'job %: epoch % -> % from % to %', old.id, old.epoch, new.epoch, old.state, new.state;
  end if;
  return new;
end
$$;

create trigger job_transition_guard before update on job for each row execute function job_transition_guard();
