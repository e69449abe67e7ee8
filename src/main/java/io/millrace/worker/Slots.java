package io.millrace.worker;

import java.util.ArrayList;
import java.util.List;

import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.UniEmitter;

/**
 * How many jobs may run at once: in the process, and within that in one queue. Thread-safe.
 */
final class Slots {
    private final int limit;
    private final Slots within;

    // Guarded by `this`; never held while calling `within` or a waiter.
    private final List<UniEmitter<? super Void>> waiters = new ArrayList<>();
    private int taken;

    /** @param within what these slots are part of; null for the whole process */
    Slots(int limit, Slots within) {
        this.limit = limit;
        this.within = within;
    }

    int limit() {
        return within == null ? limit : Math.min(limit, within.limit());
    }

    /** @return how many of the {@code wanted} slots the caller now holds: 0 to {@code wanted}, never waiting */
    int takeUpTo(int wanted) {
        int granted;
        synchronized (this) {
            granted = Math.min(wanted, limit - taken);
            taken += granted;
        }
        if (within == null || granted == 0) {
            return granted;
        }
        int allowed = within.takeUpTo(granted);
        giveBackHere(granted - allowed);
        return allowed;
    }

    void giveBack(int count) {
        if (within != null) {
            within.giveBack(count);
        }
        giveBackHere(count);
    }

    /** Completes when a slot is free; another caller may take it first, or there may be none after {@link #wakeWaiters}. */
    Uni<Void> awaitFree() {
        Uni<Void> here = Uni.createFrom().emitter(emitter -> {
            synchronized (this) {
                if (taken >= limit) {
                    waiters.add(emitter);
                    return;
                }
            }
            emitter.complete(null);
        });
        return within == null ? here : here.chain(within::awaitFree);
    }

    /** Ends every wait for a slot, though none may be free: for a stop. */
    void wakeWaiters() {
        if (within != null) {
            within.wakeWaiters();
        }
        wakeWaitersHere();
    }

    int freeCount() {
        int here;
        synchronized (this) {
            here = limit - taken;
        }
        return within == null ? here : Math.min(here, within.freeCount());
    }

    synchronized int takenCount() {
        return taken;
    }

    private void giveBackHere(int count) {
        if (count == 0) {
            return;
        }
        synchronized (this) {
            taken -= count;
        }
        wakeWaitersHere();
    }

    private void wakeWaitersHere() {
        List<UniEmitter<? super Void>> toWake;
        synchronized (this) {
            toWake = waiters.isEmpty() ? List.of() : List.copyOf(waiters);
            waiters.clear();
        }
        toWake.forEach(waiter -> waiter.complete(null));
    }
}
