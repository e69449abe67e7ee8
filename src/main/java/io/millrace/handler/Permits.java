package io.millrace.handler;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Supplier;

import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.UniEmitter;

/** Lets a limited number of things go on at a time; the others wait in the order in which they came, without a thread. */
public final class Permits {

    private final class Slot {
        private UniEmitter<? super Slot> waiter;
        private boolean granted;
        private boolean released;
    }

    private final Deque<Slot> waiting = new ArrayDeque<>();
    private int free;

    public Permits(int free) {
        this.free = free;
    }

    /** Starts {@code work} when a slot is free, and frees it when the work ends, fails or is cancelled. */
    public <T> Uni<T> run(Supplier<Uni<T>> work) {
        return Uni.createFrom().deferred(() -> {
            Slot slot = new Slot();
            return Uni.createFrom().<Slot>emitter(waiter -> enqueue(slot, waiter)).chain(granted -> work.get())
                    // Outside of everything, so that it is called wherever a cancellation strikes.
                    .onTermination().invoke(() -> release(slot));
        });
    }

    private void enqueue(Slot slot, UniEmitter<? super Slot> waiter) {
        synchronized (this) {
            slot.waiter = waiter;
            if (slot.released) {
                return;
            }
            if (free == 0) {
                waiting.add(slot);
                return;
            }
            free--;
            slot.granted = true;
        }
        waiter.complete(slot);
    }

    private void release(Slot slot) {
        Slot next;
        synchronized (this) {
            if (slot.released) {
                return;
            }
            slot.released = true;
            if (!slot.granted) {
                waiting.remove(slot);
                return;
            }
            next = waiting.poll();
            if (next == null) {
                free++;
                return;
            }
            next.granted = true;
        }
        next.waiter.complete(next);
    }
}
