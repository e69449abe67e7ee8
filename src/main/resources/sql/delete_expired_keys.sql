-- Delete idempotency keys whose time is up.
-- $1 most rows
-- Row count: how many. Locked rows are skipped: somebody deletes them, or takes the key anew.
delete from idempotency_key k
 where (k.tenant, k.key) in (select tenant, key
                               from idempotency_key
                              where expires_at <= now()
                              order by expires_at
                              limit $1::int
                                for update skip locked)
