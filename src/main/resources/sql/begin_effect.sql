-- Begin an effect, or learn why not.
-- $1 tenant   $2 key of the effect   $3 job id   $4 epoch of the attempt   $5 how long the row is kept, ms
-- One row. DONE: somebody did it. MINE: go ahead; nobody has begun it, or this job has, in an earlier attempt, or its owner has
-- ended without doing it. ELSEWHERE: it is in progress, or this attempt no longer holds the job.
with begun as (
  insert into effect as e (tenant, key, job_id, epoch, begun_at, expires_at)
  select $1::text, $2::text, j.id, j.epoch, now(), now() + $5::bigint * interval '1 millisecond'
    from job j
   where j.id = $3::uuid and j.epoch = $4::int and j.state = 'PROCESSING'
      on conflict (tenant, key) do update
         set job_id = excluded.job_id, epoch = excluded.epoch, begun_at = excluded.begun_at, expires_at = excluded.expires_at
       where e.done_at is null
         and (e.job_id = excluded.job_id and e.epoch <= excluded.epoch
              or e.job_id <> excluded.job_id
                 -- An owner that was replayed and began anew after this statement did has an epoch that is not to be seen here yet.
                 and not exists (select 1 from job o where o.id = e.job_id and (o.phase < 2 or o.epoch < e.epoch)))
  returning 1
)
select case when exists (select 1 from begun) then 'MINE'
            when exists (select 1 from effect where tenant = $1::text and key = $2::text and done_at is not null) then 'DONE'
            else 'ELSEWHERE' end as turn
