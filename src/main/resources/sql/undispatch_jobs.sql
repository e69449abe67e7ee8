-- The stream did not take these ids: leave them to the relay.
-- $1 job ids
-- Row count: how many still waited. A job that a worker has taken meanwhile is left alone.
update job
   set dispatched_at = null
 where id = any($1::uuid[]) and state = 'PENDING' and dispatched_at is not null
