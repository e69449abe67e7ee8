-- The end of a job writes its row anew, so each of its index entries is written a second time, next to the first. Ids grow with
-- time, so pages are filled once, from one side, to the fill factor: half full, they have room for what comes when the jobs end,
-- where full ones would be searched for dead entries and then split. What is there already stays as it is.
alter index job_pkey set (fillfactor = 45);
alter index job_tenant set (fillfactor = 45);
