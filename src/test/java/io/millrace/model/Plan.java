package io.millrace.model;

import java.time.Duration;

import io.millrace.job.ClaimedJob;
import io.millrace.job.FailureReason;
import io.millrace.job.Outcome;

/** What the payload of a model job asks of its handler. How such a job must end can be told without running anything. */
enum Plan {
    OK(End.COMPLETED),
    FAILS_ONCE(End.COMPLETED),
    FAILS_THRICE(End.COMPLETED),
    FAILS_ALWAYS(End.EXHAUSTED),
    REJECTED(End.REJECTED),
    /** Runs longer than a lease. */
    SLOW(End.COMPLETED),
    /** Kills the process that runs it. */
    POISON(End.WORKER_LOST),
    /** Says "not now" in its first attempt. */
    SNOOZES(End.COMPLETED),
    /** Is replayed, as {@link #OK}, once it has failed. */
    FAILS_UNTIL_REPLAYED(End.COMPLETED);

    /** A terminal state, and for FAILED the reason. */
    enum End {
        COMPLETED, EXHAUSTED, REJECTED, WORKER_LOST, CANCELLED;

        static End failed(FailureReason reason) {
            return switch (reason) {
                case ATTEMPTS_EXHAUSTED -> EXHAUSTED;
                case REJECTED -> REJECTED;
                case WORKER_LOST -> WORKER_LOST;
            };
        }
    }

    /** Without a stack: it is made many thousand times. */
    private static final class PlannedException extends Exception {
        private static final long serialVersionUID = 1;

        PlannedException() {
            super("as planned", null, false, false);
        }
    }

    private static final Exception PLANNED = new PlannedException();

    private final End end;

    Plan(End end) {
        this.end = end;
    }

    /** @return how the job ends if nobody cancels it and not too many workers die under it */
    End end() {
        return end;
    }

    /** @return the outcome of this attempt; the effect belongs to success alone */
    Outcome outcome(ClaimedJob job) {
        return switch (this) {
            case OK, SLOW, POISON -> new Outcome.Success(null);
            case FAILS_ONCE -> job.failures() < 1 ? new Outcome.Retry(PLANNED) : new Outcome.Success(null);
            case FAILS_THRICE -> job.failures() < 3 ? new Outcome.Retry(PLANNED) : new Outcome.Success(null);
            case FAILS_ALWAYS, FAILS_UNTIL_REPLAYED -> new Outcome.Retry(PLANNED);
            case REJECTED -> new Outcome.Reject("as planned");
            case SNOOZES -> job.lease().epoch() == 1 ? new Outcome.Snooze(Duration.ofSeconds(5)) : new Outcome.Success(null);
        };
    }

    /** @return how long the handler works, in ms */
    long workMs(Simulation simulation) {
        return this == SLOW ? simulation.between(35_000, 100_000) : simulation.between(1, 2_000);
    }
}
