package io.millrace.pool;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongConsumer;

import io.smallrye.mutiny.Uni;

/** What is going on on a pool of connections: how many commands are under way, and how long each takes. Thread-safe. */
public final class PoolUse {
    private final String name;
    private final int connections;
    private final AtomicInteger inFlight = new AtomicInteger();
    private volatile LongConsumer onEnded = nanos -> {};

    /** @param connections the most that the pool opens */
    public PoolUse(String name, int connections) {
        this.name = name;
        this.connections = connections;
    }

    public String name() {
        return name;
    }

    public int connections() {
        return connections;
    }

    /** @return how many connections are busy */
    public int used() {
        return Math.min(inFlight.get(), connections);
    }

    /** @return how many commands wait for a connection */
    public int waiting() {
        return Math.max(0, inFlight.get() - connections);
    }

    /** @param listener gets the ns that a command took, with its wait for a connection, however it ended; it must not block */
    public void onEnded(LongConsumer listener) {
        onEnded = listener;
    }

    public <T> Uni<T> watch(Uni<T> command) {
        return Uni.createFrom().deferred(() -> {
            long sentNanos = System.nanoTime();
            AtomicBoolean isOver = new AtomicBoolean(); // one that is cancelled as it ends is told of twice
            inFlight.incrementAndGet();
            return command.onTermination().invoke(() -> {
                if (isOver.compareAndSet(false, true)) {
                    inFlight.decrementAndGet();
                    onEnded.accept(System.nanoTime() - sentNanos);
                }
            });
        });
    }
}
