-- Delete rows of the audit log that are older than an id.
-- $1 the lowest id that stays   $2 most rows
-- Row count: how many. Locked rows are skipped: another process is deleting them.
delete from audit a
 where a.id in (select id
                  from audit
                 where id < $1::uuid
                 order by id
                 limit $2::int
                   for update skip locked)
