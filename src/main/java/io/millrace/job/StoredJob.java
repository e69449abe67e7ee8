package io.millrace.job;

import java.time.Instant;
import java.util.UUID;

/**
 * What the store made of a {@link NewJob}.
 *
 * @param state PENDING if it was due, else SCHEDULED
 * @param runAt earliest start, by the clock of PostgreSQL
 */
public record StoredJob(UUID id, JobState state, Instant runAt, Instant createdAt) {}
