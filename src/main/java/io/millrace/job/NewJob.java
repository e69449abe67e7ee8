package io.millrace.job;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;

/**
 * A job that has been checked and is ready to be stored.
 *
 * @param id UUIDv7
 * @param payload JSON, as the client wrote it
 * @param options what differs from the defaults of the type
 * @param runAt earliest start; null if {@code delay} says, or now
 * @param delay earliest start counted from the moment of storing; null for none
 */
public record NewJob(UUID id, String tenant, String queue, String type, Priority priority, String payload, JobOptions options,
        List<String> tags, int maxAttempts, Instant runAt, Duration delay) {

    public NewJob withTrace(TraceParent trace) {
        return new NewJob(id, tenant, queue, type, priority, payload, options.withTrace(trace), tags, maxAttempts, runAt,
                delay);
    }

    /** What a line of the log says of the job: never the payload. */
    @Override
    public String toString() {
        return JobLabel.of(id, type, queue, options.trace());
    }
}
