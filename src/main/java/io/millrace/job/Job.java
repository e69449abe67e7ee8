package io.millrace.job;

import java.time.Instant;
import java.util.List;
import java.util.UUID;

/**
 * A whole job row, as it is read for people and programs.
 *
 * @param payload JSON, as the client wrote it
 * @param result JSON, or null
 * @param uniqueKey null for none
 * @param failure JSON of the last {@link Failure}, or null
 */
public record Job(UUID id, String tenant, String queue, String type, String uniqueKey, Priority priority, String payload,
        JobOptions options,
        List<String> tags, JobState state, int epoch, int failures, int lost, int maxAttempts, Instant runAt,
        boolean isCancelRequested, String result, String failure, String leaseOwner, Instant leaseUntil, Instant createdAt,
        Instant startedAt, Instant finishedAt) {}
