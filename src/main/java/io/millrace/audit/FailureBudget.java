package io.millrace.audit;

import java.time.Clock;
import java.time.Duration;
import java.util.OptionalInt;

/** How many failures are written down in a minute. Counts those that are not, so that the next one that is can tell. */
final class FailureBudget {
    private static final long WINDOW_MS = Duration.ofMinutes(1).toMillis();

    private final Clock clock;
    private final int perWindow;
    private long windowEndMs;
    private int taken;
    private int leftOut;

    FailureBudget(Clock clock, int perWindow) {
        this.clock = clock;
        this.perWindow = perWindow;
    }

    /** @return how many were left out since the last one that was not; empty if this one is to be left out, too */
    synchronized OptionalInt take() {
        long now = clock.millis();
        if (now >= windowEndMs) {
            windowEndMs = now + WINDOW_MS;
            taken = 0;
        }
        if (taken >= perWindow) {
            leftOut++;
            return OptionalInt.empty();
        }
        taken++;
        int told = leftOut;
        leftOut = 0;
        return OptionalInt.of(told);
    }
}
