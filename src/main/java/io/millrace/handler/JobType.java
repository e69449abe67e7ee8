package io.millrace.handler;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;

import io.millrace.job.RetryPolicy;

/**
 * A job type as it is listed at {@code GET /v1/job-types}, with the defaults for jobs that do not say otherwise.
 *
 * @param name {@code ^[a-z0-9][a-z0-9._-]{0,127}$}
 * @param description one sentence: what a job of this type does
 * @param payload what the payload is read into
 * @param example a payload that works, as JSON
 * @param queue where its jobs wait
 * @param timeout how long one attempt may run
 * @param sensitive JSON Pointers into payload and result, with {@code *} for any member or element, of what nobody is shown
 */
public record JobType<P>(String name, String description, Class<P> payload, String example, String queue, Duration timeout,
        RetryPolicy retry, List<String> sensitive) {

    public static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9._-]{0,127}");
    public static final String DEFAULT_QUEUE = "default";
    public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(60);

    public JobType {
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException("not a job type name: " + name);
        }
        Objects.requireNonNull(payload, "payload");
        Objects.requireNonNull(retry, "retry");
        sensitive = List.copyOf(sensitive);
        if (timeout.isNegative() || timeout.isZero()) {
            throw new IllegalArgumentException("timeout of " + name + " must be positive: " + timeout);
        }
    }

    /** A type without secrets. */
    public JobType(String name, String description, Class<P> payload, String example, String queue, Duration timeout,
            RetryPolicy retry) {
        this(name, description, payload, example, queue, timeout, retry, List.of());
    }

    /** A type with the defaults of the house: queue {@value #DEFAULT_QUEUE}, 60 s, {@link RetryPolicy#DEFAULT}. */
    public JobType(String name, String description, Class<P> payload, String example) {
        this(name, description, payload, example, DEFAULT_QUEUE, DEFAULT_TIMEOUT, RetryPolicy.DEFAULT);
    }
}
