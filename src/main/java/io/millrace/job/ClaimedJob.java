package io.millrace.job;

import java.util.UUID;

/**
 * A job that this worker may run.
 *
 * @param payload JSON, as the client wrote it
 * @param failures how often a handler said no, before this attempt
 * @param lost how often a lease of it ran out
 * @param isCancelRequested true if someone cancelled it while its last worker was silent
 * @param waitedUs microseconds from its due time to this claim, by the clock of PostgreSQL; {@link #RAN_BEFORE} unless it is the first
 */
public record ClaimedJob(Lease lease, String tenant, String queue, String type, Priority priority, String payload,
        JobOptions options,
        int failures, int lost, int maxAttempts, boolean isCancelRequested, long waitedUs) {

    /** Stands for a wait that is not measured: when the job was ready again is not known. */
    public static final long RAN_BEFORE = -1;

    public UUID id() {
        return lease.jobId();
    }

    /** @return 1 for the first: lost leases and snoozes do not count */
    public int attempt() {
        return failures + 1;
    }

    /** What a line of the log says of the job: never the payload. */
    @Override
    public String toString() {
        return JobLabel.of(id(), type, queue, options.trace()) + ", attempt " + attempt() + ", epoch " + lease.epoch();
    }
}
