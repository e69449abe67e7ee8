package io.millrace.job;

import java.util.UUID;

/**
 * What became of a job that was handed in.
 *
 * @param queue of the job that was stored, or was there already
 * @param job as it was stored, or as it was there; null if {@code verdict} is OTHER_REQUEST or CONTENDED
 * @param isReplayed true if it was handed in with the same idempotency key before: this is what was answered then
 */
public record Receipt(Verdict verdict, String queue, StoredJob job, boolean isReplayed) {

    /** What was done. Names are stored: change them by migration only. */
    public enum Verdict {
        /** It is a new job. */
        CREATED,
        /** Nothing: a job with its unique key was there. */
        RETURNED,
        /** The job with its unique key has got its payload and options. */
        REPLACED,
        /** Nothing, because a job with its unique key was there. */
        REJECTED,
        /** Nothing: its idempotency key belongs to another request. */
        OTHER_REQUEST,
        /** Nothing: so many requests are at its keys that its turn did not come. */
        CONTENDED
    }

    public static Receipt created(String queue, StoredJob job) {
        return new Receipt(Verdict.CREATED, queue, job, false);
    }

    /** @param verdict one without a job */
    public static Receipt without(Verdict verdict) {
        return new Receipt(verdict, null, null, false);
    }

    public Receipt replayed() {
        return new Receipt(verdict, queue, job, true);
    }

    public UUID id() {
        return job.id();
    }
}
