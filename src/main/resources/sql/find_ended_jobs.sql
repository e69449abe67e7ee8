-- Which of these jobs have ended.
-- $1 job ids
-- One row per job that has ended. A job that is gone counts as ended: nobody should wait for it.
select u.id
  from unnest($1::uuid[]) as u(id)
  left join job j on j.id = u.id
 where j.id is null or j.phase = 2
