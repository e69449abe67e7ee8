package io.millrace.job;

import java.util.UUID;

/**
 * The right to run a job and to record how it ended, held by one worker. Every write after the claim names it; a write that
 * finds another epoch or lease id in the row changes nothing.
 *
 * @param epoch the fencing token: grows with every claim of the job
 * @param leaseId tells apart two claims that a PostgreSQL restored from a backup gave the same epoch
 */
public record Lease(UUID jobId, int epoch, UUID leaseId) {}
