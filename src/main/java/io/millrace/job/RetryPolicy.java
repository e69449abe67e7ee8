package io.millrace.job;

/**
 * How often and after what wait a failed job runs again.
 *
 * @param maxAttempts counts the first run too, 1 to {@value #MAX_ATTEMPTS_LIMIT}
 */
public record RetryPolicy(int maxAttempts, Backoff backoff) {
    public static final int MAX_ATTEMPTS_LIMIT = 50;

    /** Five attempts, after 1, 2, 4 and 8 s. */
    public static final RetryPolicy DEFAULT = new RetryPolicy(5, Backoff.DEFAULT);

    public RetryPolicy {
        if (maxAttempts < 1 || maxAttempts > MAX_ATTEMPTS_LIMIT) {
            throw new IllegalArgumentException("maxAttempts must be 1 to " + MAX_ATTEMPTS_LIMIT + ", not " + maxAttempts);
        }
    }

    /** The default backoff with another number of attempts. */
    public static RetryPolicy attempts(int maxAttempts) {
        return new RetryPolicy(maxAttempts, Backoff.DEFAULT);
    }
}
