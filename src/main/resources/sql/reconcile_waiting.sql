-- Find waiting jobs that are overdue and stand in no delayed set and on no stream any more: make them ready, for the relay.
-- $1 queue   $2 priority   $3 the stream holds no undelivered entry older than this, epoch ms   $4 margin, ms   $5 most rows
-- Row count: how many. A job is promoted no earlier than it is due, so its entry is not older than its due time.
update job
   set state = 'PENDING', phase = 1, dispatched_at = null
 where id = any(array(select id
                        from job
                       where phase = 0 and queue = $1::text and priority = $2::smallint
                         and run_at < least(now(), to_timestamp($3::bigint / 1000.0)) - $4::bigint * interval '1 millisecond'
                       order by run_at
                       limit $5::int
                         for update skip locked))
