package io.millrace.worker;

import io.millrace.job.JobState;
import io.millrace.worker.Claimer.Refusal;

/** Lets tests of other packages ask the real {@link Refusal}. */
public final class ClaimRefusals {
    private ClaimRefusals() {}

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
}
