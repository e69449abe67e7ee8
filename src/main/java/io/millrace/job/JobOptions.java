package io.millrace.job;

import java.time.Duration;

/**
 * What one job carries along, which most do not: what it wants different from its type, where null means as the type says, and
 * where it belongs in a trace.
 *
 * @param timeout how long one attempt may run
 * @param trace the span of the request that handed it in; null if nobody records that
 */
public record JobOptions(Duration timeout, Backoff backoff, TraceParent trace) {
    public static final JobOptions NONE = new JobOptions(null, null);

    public JobOptions(Duration timeout, Backoff backoff) {
        this(timeout, backoff, null);
    }

    public JobOptions withTrace(TraceParent other) {
        return new JobOptions(timeout, backoff, other);
    }

    public boolean isEmpty() {
        return timeout == null && backoff == null && trace == null;
    }
}
