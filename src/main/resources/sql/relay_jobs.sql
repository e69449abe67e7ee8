-- Take jobs that are ready and on no stream, to put them there. Any number of relays may run this at once: each row goes to one, and a row
-- that somebody holds is left for the next step.
-- $1 queue   $2 priority   $3 most rows   $4 id of the last row taken before, to start behind the dead index entries
-- One row per job, marked as dispatched. A crash before the XADD leaves a marked row that the reconciler finds.
-- Rows are compared as a whole so that only job_undispatched gives the order: the primary key would, too, past all that ended.
update job
   set dispatched_at = now()
 where id = any(array(select id
                        from job
                       where phase = 1 and dispatched_at is null and state = 'PENDING'
                         and (queue, priority, id) > ($1::text, $2::smallint, $4::uuid)
                         and (queue, priority) <= ($1::text, $2::smallint)
                       order by queue, priority, id
                       limit $3::int
                         for update skip locked))
   and dispatched_at is null and state = 'PENDING'
returning id
