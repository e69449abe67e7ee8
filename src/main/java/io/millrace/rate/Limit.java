package io.millrace.rate;

import java.time.Duration;
import java.util.OptionalInt;

/**
 * How much of something a tenant may do.
 *
 * @param perSecond what comes in; 0 for no limit
 * @param burst the most that can be saved up
 */
public record Limit(long perSecond, long burst) {
    private static final int BURST_SECONDS = 10;
    private static final double NANOS = 1_000_000_000;

    static Limit of(int perSecond, OptionalInt burst) {
        return new Limit(perSecond, burst.orElse(BURST_SECONDS * Math.max(1, perSecond)));
    }

    boolean isNone() {
        return perSecond == 0;
    }

    /** How long it takes until so much has come in. */
    public Duration timeFor(double amount) {
        return Duration.ofNanos((long) Math.ceil(Math.max(0, amount) * NANOS / perSecond));
    }

    double comesIn(long nanos) {
        return nanos * (double) perSecond / NANOS;
    }
}
