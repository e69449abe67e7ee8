package io.millrace.job;

import java.time.Duration;
import java.util.List;
import java.util.Objects;

/** What a handler says of one attempt. A handler that throws says {@link Retry}. */
public sealed interface Outcome {

    /**
     * Done.
     *
     * @param result anything Jackson can write, at most {@code millrace.settle.max-result} characters as JSON; null for none
     * @param artifacts files to keep beside the result, written in the transaction that completes the job
     */
    record Success(Object result, List<Artifact> artifacts) implements Outcome {
        public Success {
            artifacts = List.copyOf(artifacts);
        }

        public Success(Object result) {
            this(result, List.of());
        }
    }

    /**
     * Failed, and may work next time.
     *
     * @param cause what went wrong; its class, message and stack are shown to the operator
     * @param after wait this long instead of the backoff (a {@code Retry-After}); null for the backoff
     * @param detail more of the same for programs, anything Jackson can write; null for none
     */
    record Retry(Throwable cause, Duration after, Object detail) implements Outcome {
        public Retry {
            Objects.requireNonNull(cause, "cause");
        }

        public Retry(Throwable cause, Duration after) {
            this(cause, after, null);
        }

        public Retry(Throwable cause) {
            this(cause, null, null);
        }
    }

    /**
     * Can never succeed (bad payload, gone recipient): no attempts are wasted on it.
     *
     * @param reason what is wrong and what to do about it
     * @param detail more of the same for programs, anything Jackson can write; null for none
     */
    record Reject(String reason, Object detail) implements Outcome {
        public Reject {
            Objects.requireNonNull(reason, "reason");
        }

        public Reject(String reason) {
            this(reason, null);
        }
    }

    /** Not now: run again after {@code delay}, without using up an attempt. */
    record Snooze(Duration delay) implements Outcome {
        public Snooze {
            if (delay.isNegative()) {
                throw new IllegalArgumentException("a snooze cannot end in the past: " + delay);
            }
        }
    }
}
