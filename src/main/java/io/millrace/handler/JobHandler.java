package io.millrace.handler;

import java.util.List;

import io.millrace.job.Outcome;
import io.smallrye.mutiny.Uni;

/**
 * Runs the jobs of one type. A bean that implements this is a job type: there is nothing else to register.
 *
 * <p>
 * The same job can run more than once: a worker may die after the effect and before the record of it. A handler is
 * written so that this does no harm, for example by passing {@link JobContext#jobId()} on as an idempotency key.
 *
 * @param <P> what the payload is read into: a record that Jackson can read, or {@link RawJson} for the payload as it is
 */
public interface JobHandler<P> {

    /** What a handler is called by and how its jobs run when they do not say otherwise. */
    JobType<P> type();

    /**
     * Looks at a payload before its job is stored, so that whoever hands it in learns what is wrong. {@link #run} looks again: a job
     * may have been stored by another version, or under other settings. Called on an event loop.
     *
     * @param payload JSON, as it was sent
     * @return all that is wrong; empty if nothing is
     */
    default List<PayloadFault> check(String payload) {
        return List.of();
    }

    /**
     * Runs one attempt. Called on an event loop: work that blocks or computes for more than a millisecond goes through
     * {@link BlockingWork}. The attempt is over when the Uni ends; if {@link JobContext#cancellation()} fires first (timeout,
     * cancel, lost lease, shutdown), the subscription is cancelled and whatever comes later is ignored.
     *
     * @return how it ended; a failed Uni or an exception counts as {@link Outcome.Retry}
     */
    Uni<Outcome> run(P payload, JobContext context);
}
