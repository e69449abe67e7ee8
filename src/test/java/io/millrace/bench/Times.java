package io.millrace.bench;

import java.util.Arrays;

/** How long something took, again and again, in one round. */
final class Times {

    private static final double US_PER_MS = 1_000;

    private final long[] sortedUs;

    /** @param micros one at least, in any order */
    Times(long[] micros) {
        sortedUs = micros.clone();
        Arrays.sort(sortedUs);
    }

    int count() {
        return sortedUs.length;
    }

    /**
     * Exact, not interpolated: so many per cent took this long or less.
     *
     * @param percent above 0, up to 100
     */
    double percentileMs(double percent) {
        int rank = (int) Math.ceil(percent / 100 * sortedUs.length);
        return sortedUs[Math.max(rank, 1) - 1] / US_PER_MS;
    }

    double maxMs() {
        return percentileMs(100);
    }
}
