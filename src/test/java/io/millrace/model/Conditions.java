package io.millrace.model;

import java.util.EnumSet;
import java.util.Set;

/**
 * What a run is made of, besides its seed.
 *
 * @param faults what may go wrong
 * @param plans what the jobs do
 * @param lostLimit lost leases after which a job is given up
 * @param delayedShare how many of the jobs are due later, 0 to 1
 * @param shortestDelayMs how much later, at least
 */
record Conditions(Mutant mutant, Set<Fault> faults, Set<Plan> plans, boolean isReaperOn, boolean isReconcilerOn, int lostLimit,
        double delayedShare, long shortestDelayMs) {

    /** Every plan and every fault, every chore on, no mistake. */
    static final Conditions ALL = new Conditions(Mutant.NONE, EnumSet.allOf(Fault.class), EnumSet.allOf(Plan.class), true, true,
            3, 0.25, 1_000);

    Conditions mutant(Mutant other) {
        return new Conditions(other, faults, plans, isReaperOn, isReconcilerOn, lostLimit, delayedShare, shortestDelayMs);
    }

    Conditions faults(Set<Fault> others) {
        return new Conditions(mutant, others, plans, isReaperOn, isReconcilerOn, lostLimit, delayedShare, shortestDelayMs);
    }

    Conditions plans(Set<Plan> others) {
        return new Conditions(mutant, faults, others, isReaperOn, isReconcilerOn, lostLimit, delayedShare, shortestDelayMs);
    }

    /** No worker dies too often for a job: then the sweep alone must find what the reaper would have. */
    Conditions withoutReaper() {
        return new Conditions(mutant, faults, plans, false, isReconcilerOn, 100, delayedShare, shortestDelayMs);
    }

    Conditions withoutReconciler() {
        return new Conditions(mutant, faults, plans, isReaperOn, false, lostLimit, delayedShare, shortestDelayMs);
    }

    Conditions delayed(double share, long shortestMs) {
        return new Conditions(mutant, faults, plans, isReaperOn, isReconcilerOn, lostLimit, share, shortestMs);
    }

    /** The same with everything on that mends what a crash leaves behind. */
    Conditions repaired() {
        return new Conditions(mutant, faults, plans, true, true, 3, delayedShare, shortestDelayMs);
    }
}
