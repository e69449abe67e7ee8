-- Jobs that were given up, to be counted without a walk over all that ended. A completed job has no failure, so it never enters; one
-- that was cancelled after a failure does, and is passed over. No column of it changes in a claim: that stays a heap-only update.
create index job_dead on job (queue) where failure is not null and phase = 2;
