package io.millrace.maintenance;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.ObjIntConsumer;

import jakarta.inject.Singleton;

import org.jboss.logging.Logger;

import io.millrace.job.Priority;
import io.millrace.store.JobStore;
import io.millrace.stream.DispatchWindow;
import io.millrace.stream.JobStream;
import io.millrace.stream.StreamConfig;
import io.smallrye.mutiny.Uni;

/**
 * Puts ready jobs that are on no stream onto one: those accepted while Redis was away or its window closed.
 *
 * <p>
 * Safe in any number of processes: a row goes to the one that locks it first, the others take the next. It is marked before the
 * XADD; a relay that dies in between leaves a marked row, which the reconciler finds.
 */
@Singleton
public class Relay {
    private static final Logger LOG = Logger.getLogger(Relay.class);
    private static final int MOST_QUEUES = 1_000;
    private static final UUID LOWEST = new UUID(0, 0);
    /** In a long pass the names are asked for again after this: the search walks all index entries that died since a vacuum. */
    private static final long NAMES_LAST_NANOS = Duration.ofSeconds(1).toNanos();

    private record Target(String queue, Priority priority) {}

    private final JobStore store;
    private final JobStream stream;
    private final DispatchWindow window;
    private final StreamConfig config;
    private final int batch;
    private final Duration stepTimeout;
    /**
     * Where the last step of a pass ended: the index entries before it are dead until a vacuum, and walking them again made a
     * deep drain half as fast. Each pass starts anew, because jobs of a higher priority may have come.
     */
    private final Map<Target, UUID> cameTo = new ConcurrentHashMap<>();
    private volatile List<String> waitingQueues = List.of();
    private volatile long askedNanos;
    private final LongAdder relayed = new LongAdder();
    private volatile ObjIntConsumer<String> onRelayed = (queue, count) -> {};

    Relay(JobStore store, JobStream stream, DispatchWindow window, StreamConfig streamConfig, MaintenanceConfig config) {
        this.store = store;
        this.stream = stream;
        this.window = window;
        this.config = streamConfig;
        this.batch = Math.min(config.relayItems(), streamConfig.dispatchWindow() / 2);
        this.stepTimeout = config.stepTimeout();
    }

    /** @param listener gets, for each step that sent jobs, their queue and how many they were; must not block */
    public void onRelayed(ObjIntConsumer<String> listener) {
        onRelayed = listener;
    }

    /** One pass: rounds over all queues until nothing is left or the windows are full. One at a time. @return how many it sent */
    public Uni<Integer> relayOnce() {
        cameTo.clear();
        askedNanos = System.nanoTime() - NAMES_LAST_NANOS;
        return Passes.untilNothing(this::relayRound);
    }

    /** @return how many jobs this process has put onto streams */
    public long relayedCount() {
        return relayed.sum();
    }

    private Uni<Integer> relayRound() {
        return findWaitingQueues()
                .chain(queues -> Passes.sumOver(queues, queue -> relayQueue(queue).onFailure().invoke(
                        failure -> LOG.warnf("could not relay queue %s, going on with the others: %s", queue,
                                failure.getMessage()))
                        .onFailure().recoverWithItem(0)));
    }

    private Uni<List<String>> findWaitingQueues() {
        if (System.nanoTime() - askedNanos < NAMES_LAST_NANOS) {
            return Uni.createFrom().item(waitingQueues);
        }
        return Passes.within(stepTimeout, store.findWaitingQueues(MOST_QUEUES)).invoke(queues -> {
            waitingQueues = queues;
            askedNanos = System.nanoTime();
        });
    }

    private Uni<Integer> relayQueue(String queue) {
        Uni<Void> measured = window.isToBeMeasured(queue) ? stream.measure(queue) : Uni.createFrom().voidItem();
        return measured.chain(() -> Passes.sumOver(List.of(Priority.values()), priority -> relayStep(queue, priority)));
    }

    private Uni<Integer> relayStep(String queue, Priority priority) {
        // Whole batches: while a worker empties the stream, there is always room for a few, and a step for each of them is dear.
        if (window.room(queue, priority) < batch) {
            return Uni.createFrom().item(0);
        }
        Target target = new Target(queue, priority);
        return Passes.within(stepTimeout, store.relay(queue, priority, batch, cameTo.getOrDefault(target, LOWEST))
                .call(ids -> send(target, ids))
                .map(List::size));
    }

    private Uni<Void> send(Target target, List<UUID> ids) {
        if (ids.isEmpty()) {
            return Uni.createFrom().voidItem();
        }
        cameTo.put(target, ids.stream().max(Relay::compareAsPostgres).orElseThrow());
        return stream.append(target.queue(), ids.stream().map(id -> new JobStream.Ready(id, target.priority())).toList(),
                config.commandTimeout())
                .invoke(() -> {
                    relayed.add(ids.size());
                    onRelayed.accept(target.queue(), ids.size());
                })
                .onFailure().call(() -> store.undispatch(ids)
                        .onFailure().invoke(failure -> LOG.warnf("%d jobs of queue %s wait for the reconciler: %s", ids.size(),
                                target.queue(), failure.getMessage()))
                        .onFailure().recoverWithNull());
    }

    /** Byte by byte, without sign. */
    private static int compareAsPostgres(UUID a, UUID b) {
        int byMost = Long.compareUnsigned(a.getMostSignificantBits(), b.getMostSignificantBits());
        return byMost != 0 ? byMost : Long.compareUnsigned(a.getLeastSignificantBits(), b.getLeastSignificantBits());
    }
}
