package io.millrace.job;

import java.time.Duration;
import java.util.List;

/** What is written about an attempt that is over. */
public sealed interface Settlement {

    /** @param result JSON, or null */
    record Complete(String result, List<Artifact> artifacts) implements Settlement {}

    record RetryAfter(Duration delay, Failure failure) implements Settlement {}

    /** Put off; the attempt does not count. */
    record Postpone(Duration delay) implements Settlement {}

    record DeadLetter(Failure failure) implements Settlement {}

    /** Back to the queue because this process stops; nothing is counted. */
    record Release() implements Settlement {}

    /** Stopped because someone cancelled it. */
    record Cancel() implements Settlement {}

    /** @return the event that this writes */
    default JobTransition transition() {
        if (this instanceof Complete) {
            return JobTransition.COMPLETED;
        } else if (this instanceof RetryAfter) {
            return JobTransition.RETRIED;
        } else if (this instanceof Postpone) {
            return JobTransition.SNOOZED;
        } else if (this instanceof DeadLetter) {
            return JobTransition.DEAD_LETTERED;
        } else if (this instanceof Release) {
            return JobTransition.RELEASED;
        }
        return JobTransition.CANCELLED;
    }
}
