package io.millrace.job;

import java.util.UUID;

/**
 * Tells one attempt of a job from all others.
 *
 * @param epoch grows with every claim of the job
 */
public record AttemptId(String tenant, UUID jobId, int epoch) {}
