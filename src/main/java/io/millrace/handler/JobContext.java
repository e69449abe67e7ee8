package io.millrace.handler;

import java.util.UUID;

import io.millrace.job.AttemptId;

/**
 * What a handler knows of the attempt it runs.
 *
 * @param jobId the same in every attempt: the idempotency key to pass on to others
 * @param epoch grows with every claim of this job: pass it on to receivers that can refuse a lower one
 * @param attempt 1 for the first
 * @param maxAttempts counts the first run too
 * @param deadline when the attempt is cut off, measured on this process's monotonic clock
 */
public record JobContext(UUID jobId, int epoch, int attempt, int maxAttempts, String tenant, String queue, Deadline deadline,
        Cancellation cancellation) {

    /** What tells this attempt from all others, for {@code Effects}. */
    public AttemptId attemptId() {
        return new AttemptId(tenant, jobId, epoch);
    }
}
