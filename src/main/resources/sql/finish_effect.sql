-- Record that an effect was done, by the attempt that has begun it last.
-- $1 tenant   $2 key of the effect   $3 job id   $4 epoch of the attempt   $5 how long the row is kept, ms
-- One row if recorded, also if it was before. No row: another attempt or job has begun it since.
update effect
   set done_at = coalesce(done_at, now()), expires_at = now() + $5::bigint * interval '1 millisecond'
 where tenant = $1::text and key = $2::text and job_id = $3::uuid and epoch = $4::int
returning 1
