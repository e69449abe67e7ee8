-- Find ready jobs that were put on a stream but stand on it no more: leave them to the relay, which sends them again.
-- $1 queue   $2 priority   $3 the stream holds no undelivered entry older than this, epoch ms   $4 margin, ms   $5 most rows
-- Row count: how many. An entry is appended after its job is marked, and entries are delivered in order: a job marked before the
-- oldest undelivered entry was appended has none. Should one turn up all the same, its second claim is refused.
update job
   set dispatched_at = null
 where id = any(array(select id
                        from job
                       where phase = 1 and dispatched_at is not null and state = 'PENDING'
                         and queue = $1::text and priority = $2::smallint
                         and dispatched_at < to_timestamp($3::bigint / 1000.0) - $4::bigint * interval '1 millisecond'
                       order by dispatched_at
                       limit $5::int
                         for update skip locked))
