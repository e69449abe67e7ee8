package io.millrace.job;

import java.time.Duration;

/**
 * What one job wants different from its type. Null means: as the type says.
 *
 * @param timeout how long one attempt may run
 */
public record JobOptions(Duration timeout, Backoff backoff) {
    public static final JobOptions NONE = new JobOptions(null, null);

    public boolean isEmpty() {
        return timeout == null && backoff == null;
    }
}
