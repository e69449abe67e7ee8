-- Delete effects whose time is up: done long ago, or begun long ago by a job that has ended.
-- $1 most rows
-- Row count: how many. Locked rows are skipped, so any number of processes may run this at once. Not "not exists": the planner would
-- read all jobs to answer it.
delete from effect e
 where (e.tenant, e.key) in (select x.tenant, x.key
                               from effect x
                              where x.expires_at <= now()
                                and (x.done_at is not null
                                     or (select j.id from job j where j.id = x.job_id and j.phase < 2) is null)
                              order by x.expires_at
                              limit $1::int
                                for update of x skip locked)
