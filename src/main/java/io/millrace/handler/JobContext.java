package io.millrace.handler;

import java.util.UUID;

import io.millrace.job.AttemptId;
import io.millrace.job.TraceParent;

/**
 * What a handler knows of the attempt it runs.
 *
 * @param jobId the same in every attempt: the idempotency key to pass on to others
 * @param epoch grows with every claim of this job: pass it on to receivers that can refuse a lower one
 * @param attempt 1 for the first
 * @param maxAttempts counts the first run too
 * @param trace the span of this attempt, whose header {@code traceparent} goes along with calls to others; null if nobody records it
 * @param deadline when the attempt is cut off, measured on this process's monotonic clock
 */
public record JobContext(UUID jobId, int epoch, int attempt, int maxAttempts, String tenant, String queue, Deadline deadline,
        Cancellation cancellation, TraceParent trace) {

    /** What tells this attempt from all others, for {@code Effects}. */
    public AttemptId attemptId() {
        return new AttemptId(tenant, jobId, epoch);
    }
}
