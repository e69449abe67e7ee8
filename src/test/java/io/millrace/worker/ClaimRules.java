package io.millrace.worker;

import io.millrace.job.ClaimedJob;
import io.millrace.job.JobState;
import io.millrace.store.JobStore.Standing;
import io.millrace.stream.StreamEntry;
import io.millrace.worker.Claimer.Refusal;

/** Lets tests of other packages ask the real {@link Claimer}. */
public final class ClaimRules {
    private ClaimRules() {}

    /**
     * Runs what the claimer does about an entry whose job it did not get.
     *
     * @param state null if the job is unknown
     */
    public static void decide(JobState state, Runnable drop, Runnable park, Runnable leave, Runnable dropIfOld) {
        switch (Refusal.of(state)) {
            case DROP -> drop.run();
            case PARK -> park.run();
            case LEAVE -> leave.run();
            case DROP_IF_OLD -> dropIfOld.run();
        }
    }

    /** @return until when a job that is not due is parked, epoch ms */
    public static long parkedUntil(StreamEntry entry, Standing standing) {
        return Claimer.parkedUntil(entry, standing);
    }

    /** @return true for a job that is given up if its worker dies once more */
    public static boolean isOnItsLastChance(ClaimedJob job, int lostLimit) {
        return Claimer.isOnItsLastChance(job, lostLimit);
    }
}
