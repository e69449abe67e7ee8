package io.millrace.job;

import java.util.Arrays;
import java.util.Optional;

/** The seven states of a job. {@link JobTransition} says how one becomes another. */
public enum JobState {
    /** Not due yet. */
    SCHEDULED(Phase.WAITING),
    /** Ready to run, waiting for a worker. */
    PENDING(Phase.OPEN),
    /** Leased by one worker. */
    PROCESSING(Phase.OPEN),
    /** Failed, waiting for its backoff. */
    RETRYING(Phase.WAITING),
    /** Done, its result stored. */
    COMPLETED(Phase.ENDED),
    /** Given up, with a {@link FailureReason}; stays until replayed. */
    FAILED(Phase.ENDED),
    /** Stopped by a person or a program. */
    CANCELLED(Phase.ENDED);

    /**
     * What the partial indexes of the job table ask for instead of the state, so that PENDING to PROCESSING changes no
     * indexed column and PostgreSQL can do it as a heap-only update.
     */
    public enum Phase {
        WAITING, OPEN, ENDED;

        /** @return the value of the column {@code job.phase} */
        public int code() {
            return ordinal();
        }
    }

    private final Phase phase;

    JobState(Phase phase) {
        this.phase = phase;
    }

    public Phase phase() {
        return phase;
    }

    /** @return true if no worker will touch the job again unless someone replays it */
    public boolean isTerminal() {
        return phase == Phase.ENDED;
    }

    /** @return the state of that name in any case, or empty if there is none */
    public static Optional<JobState> named(String name) {
        return Arrays.stream(values()).filter(state -> state.name().equalsIgnoreCase(name)).findFirst();
    }
}
