package io.millrace.worker;

import java.util.List;

import io.millrace.handler.Cancellation;
import io.millrace.job.ClaimedJob;
import io.millrace.stream.StreamEntry;

/** A job whose lease this process holds: from the claim until its end is recorded. */
final class RunningJob {
    private final ClaimedJob job;
    private final List<StreamEntry> entries;
    private final Cancellation cancellation = new Cancellation();
    private volatile long confirmedNanos;
    /** Not volatile: read when the attempt ends, and all that hangs on it is how long it seems to have run. */
    private long startedNanos;
    private volatile boolean isLeaseLost;
    private Runnable onSettled;
    private boolean isSettled;

    /** @param claimedNanos when the claim was sent: the lease counts from no earlier than that */
    RunningJob(ClaimedJob job, List<StreamEntry> entries, long claimedNanos) {
        this.job = job;
        this.entries = entries;
        this.confirmedNanos = claimedNanos;
        this.startedNanos = claimedNanos;
    }

    ClaimedJob job() {
        return job;
    }

    List<StreamEntry> entries() {
        return entries;
    }

    Cancellation cancellation() {
        return cancellation;
    }

    /** @return false once the lease is known, or must be taken, to be lost: nothing of this attempt may be recorded */
    boolean holdsLease() {
        return !isLeaseLost;
    }

    /** @return false if it was known before */
    boolean loseLease() {
        boolean isNew = !isLeaseLost;
        isLeaseLost = true;
        cancellation.request(Cancellation.Cause.LEASE_LOST);
        return isNew;
    }

    /** @param nanos when its handler was called; until then, and if it is not, the claim counts as the start */
    void started(long nanos) {
        startedNanos = nanos;
    }

    long startedNanos() {
        return startedNanos;
    }

    /** @param sentNanos when the heartbeat that held was sent */
    void confirmLease(long sentNanos) {
        confirmedNanos = sentNanos;
    }

    /** @return monotonic ns since the lease was last known to be held */
    long silentNanos() {
        return System.nanoTime() - confirmedNanos;
    }

    /** Runs {@code listener} once the end of the attempt is recorded, at once if it already is. */
    void onSettled(Runnable listener) {
        synchronized (this) {
            if (!isSettled) {
                onSettled = listener;
                return;
            }
        }
        listener.run();
    }

    void settled() {
        Runnable listener;
        synchronized (this) {
            isSettled = true;
            listener = onSettled;
        }
        if (listener != null) {
            listener.run();
        }
    }
}
