-- The end of a job writes its row anew, so each of its index entries is written a second time, next to the first. Ids grow with
-- time, so pages are filled once, from one side, to the fill factor: half full, they have room for what comes when the jobs end,
-- where full ones would be searched for dead entries and then split. What is there already stays as it is.
alter index job_pkey set (fillfactor = 45);

-- A list of a small tenant beside large ones must not walk the jobs of all. Where there is only the default tenant, its jobs are
-- all there are, and the primary key gives them in the same order: no entry for those. And no statement of the engine can mistake
-- an index with a condition for one that finds jobs by their id, as it did while the table was small.
drop index job_tenant;
create index job_tenant on job (tenant, id) with (fillfactor = 45) where tenant <> 'default';
