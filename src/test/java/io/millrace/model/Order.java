package io.millrace.model;

import java.util.UUID;

import io.millrace.job.JobOptions;
import io.millrace.job.Priority;

/**
 * What a client of the model wants.
 *
 * @param submitAtMs when it asks
 * @param delayMs how long after that the job is due; 0 for at once
 * @param cancelAtMs when somebody cancels it; 0 for never
 */
record Order(UUID id, Plan plan, Priority priority, JobOptions options, long submitAtMs, long delayMs, long cancelAtMs) {
    static final int MAX_ATTEMPTS = 5;

    /** @return whether the client takes its time to ask for another run */
    boolean isReplayedLate() {
        return id.getLeastSignificantBits() % 4 == 0;
    }
}
