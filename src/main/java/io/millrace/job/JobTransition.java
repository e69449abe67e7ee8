package io.millrace.job;

import static io.millrace.job.JobState.CANCELLED;
import static io.millrace.job.JobState.FAILED;
import static io.millrace.job.JobState.PENDING;
import static io.millrace.job.JobState.PROCESSING;
import static io.millrace.job.JobState.RETRYING;
import static io.millrace.job.JobState.SCHEDULED;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;

/**
 * Every legal change of state, named by the event that causes it. What is not listed here cannot happen: the trigger
 * {@code job_transition_guard}, which is on in every test, is generated from this table.
 */
public enum JobTransition {
    /** A worker took the job. */
    CLAIMED(from(PENDING, SCHEDULED, RETRYING), PROCESSING),
    /** A worker took the job from one whose lease ran out; a new epoch. */
    RECLAIMED(from(PROCESSING), PROCESSING),
    /** Handed back by a shutdown; nothing is counted. */
    RELEASED(from(PROCESSING), PENDING),
    /** The lease ran out and nobody had the job on the stream: ready again, one more {@code lost}. */
    REAPED(from(PROCESSING), PENDING),
    COMPLETED(from(PROCESSING), JobState.COMPLETED),
    RETRIED(from(PROCESSING), RETRYING),
    SNOOZED(from(PROCESSING), SCHEDULED),
    DEAD_LETTERED(from(PROCESSING), FAILED),
    /** Overdue, and its hint in Redis is gone: made ready, to be sent again by the relay. */
    RESCUED(from(SCHEDULED, RETRYING), PENDING),
    CANCELLED(from(SCHEDULED, PENDING, RETRYING, PROCESSING), JobState.CANCELLED),
    REPLAYED(from(FAILED, JobState.CANCELLED), PENDING);

    private final Set<JobState> from;
    private final JobState to;

    JobTransition(Set<JobState> from, JobState to) {
        this.from = from;
        this.to = to;
    }

    public Set<JobState> from() {
        return from;
    }

    public JobState to() {
        return to;
    }

    public boolean isLegalFrom(JobState state) {
        return from.contains(state);
    }

    /** @return true if some event leads from the one state to the other */
    public static boolean isLegal(JobState before, JobState after) {
        return Arrays.stream(values()).anyMatch(t -> t.to == after && t.from.contains(before));
    }

    private static Set<JobState> from(JobState... states) {
        return Set.copyOf(EnumSet.copyOf(Arrays.asList(states)));
    }
}
