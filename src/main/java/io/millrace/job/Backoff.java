package io.millrace.job;

import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.function.DoubleSupplier;

/**
 * How long a failed job waits before its next attempt.
 *
 * @param base the wait after the first failure
 * @param cap no wait is longer
 */
public record Backoff(Curve curve, Duration base, Duration cap, Jitter jitter) {

    /** How the wait grows with the number of failures {@code n}. */
    public enum Curve {
        /** {@code base * 2^(n-1)} */
        EXPONENTIAL,
        /** {@code base} every time */
        FIXED;

        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }

        public static Optional<Curve> labelled(String label) {
            return Arrays.stream(values()).filter(curve -> curve.label().equals(label)).findFirst();
        }
    }

    /**
     * How much chance is in the wait {@code d}. Jobs that failed together would come back together; chance spreads them. See
     * AWS Architecture Blog, "Exponential Backoff And Jitter" (2015).
     */
    public enum Jitter {
        /** {@code d}: waits can be predicted to the second. */
        NONE,
        /** {@code d/2 + random(0, d/2)} */
        EQUAL,
        /** {@code random(0, d)} */
        FULL;

        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }

        public static Optional<Jitter> labelled(String label) {
            return Arrays.stream(values()).filter(jitter -> jitter.label().equals(label)).findFirst();
        }
    }

    /** The longest cap that can be asked for. */
    public static final Duration LONGEST = Duration.ofDays(30);

    /** 1, 2, 4, 8 s and so on up to an hour, without jitter. */
    public static final Backoff DEFAULT = new Backoff(Curve.EXPONENTIAL, Duration.ofSeconds(1), Duration.ofHours(1),
            Jitter.NONE);

    public Backoff {
        if (base.isNegative() || base.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException("base must be 0 to " + LONGEST + ", not " + base);
        }
        if (cap.compareTo(base) < 0 || cap.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException(
                    "cap must be at least base (" + base + ") and at most " + LONGEST + ", not " + cap);
        }
    }

    /**
     * @param failures how often the job has failed, from 1
     * @param random a number from 0 to 1, asked for only if there is jitter
     * @return at least 0, at most {@link #cap}, in whole milliseconds
     * @throws IllegalArgumentException if {@code failures < 1}
     */
    public Duration delayAfter(int failures, DoubleSupplier random) {
        if (failures < 1) {
            throw new IllegalArgumentException("failures must be at least 1, not " + failures);
        }
        double full = Math.min(cap.toMillis(), base.toMillis() * (curve == Curve.FIXED ? 1 : Math.pow(2, failures - 1)));
        double chosen = switch (jitter) {
            case NONE -> full;
            case EQUAL -> full / 2 + full / 2 * random.getAsDouble();
            case FULL -> full * random.getAsDouble();
        };
        return Duration.ofMillis((long) chosen);
    }
}
