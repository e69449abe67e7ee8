-- A page of the audit log of a tenant, newest first. A filter that is null does not filter.
-- $1 tenant   $2 start behind this id   $3 not before this id   $4 action   $5 name of who did it   $6 target   $7 most rows
select id, at, actor_kind, actor, actor_id, action, target, outcome, address, request_id, details::text as details
  from audit
 where tenant = $1::text
   and id < $2::uuid and id >= $3::uuid
   and ($4::text is null or action = $4::text)
   and ($5::text is null or actor = $5::text)
   and ($6::text is null or target = $6::text)
 order by id desc
 limit $7::int
