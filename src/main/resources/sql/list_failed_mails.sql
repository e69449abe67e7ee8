-- A page of the mails with a tag that were given up, newest first.
-- $1 tenant   $2 tag   $3 most rows   $4 how many to pass over
select payload->'to'->>0 as email, payload->'data'->>'name' as name, failure->>'message' as error
  from job
 where tenant = $1::text and type = 'email' and state = 'FAILED' and tags @> array[$2::text]
 order by id desc
 limit $3::int offset $4::int
