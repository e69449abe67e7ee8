package io.millrace.maintenance;

import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

import jakarta.inject.Singleton;

import org.jboss.logging.Logger;

import io.millrace.job.Priority;
import io.millrace.store.JobStore;
import io.millrace.store.JobStore.Undispatched;
import io.millrace.stream.DispatchWindow;
import io.millrace.stream.JobStream;
import io.millrace.stream.StreamConfig;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;

/**
 * Puts ready jobs that are on no stream onto one: those accepted while Redis was away or its window closed.
 *
 * <p>
 * Safe in any number of processes: each row is taken by one of them ({@code skip locked}). It is marked before the XADD; a
 * relay that dies in between leaves a marked row, which the reconciler finds.
 */
@Singleton
public class Relay {
    private static final Logger LOG = Logger.getLogger(Relay.class);
    private static final int MOST_QUEUES = 1_000;
    private static final Undispatched BEGINNING = new Undispatched(new UUID(0, 0), Priority.HIGH);

    private final JobStore store;
    private final JobStream stream;
    private final DispatchWindow window;
    private final StreamConfig config;
    private final int batch;
    /**
     * Where the last step of a pass ended: the index entries before it are dead until a vacuum, and walking them again made a
     * deep drain half as fast. Each pass starts anew, because jobs of a higher priority may have come.
     */
    private final Map<String, Undispatched> cameTo = new ConcurrentHashMap<>();

    Relay(JobStore store, JobStream stream, DispatchWindow window, StreamConfig streamConfig, MaintenanceConfig config) {
        this.store = store;
        this.stream = stream;
        this.window = window;
        this.config = streamConfig;
        this.batch = config.relayItems();
    }

    /** One pass over all queues, until nothing is left or the windows are full. One at a time. @return how many it sent */
    public Uni<Integer> relayOnce() {
        cameTo.clear();
        return store.findWaitingQueues(MOST_QUEUES)
                .onItem().transformToMulti(queues -> Multi.createFrom().iterable(queues))
                .onItem().transformToUniAndConcatenate(this::relayQueue)
                .collect().with(java.util.stream.Collectors.summingInt(Integer::intValue));
    }

    private Uni<Integer> relayQueue(String queue) {
        return stream.measure(queue).chain(() -> Passes.untilNothing(() -> relayStep(queue)));
    }

    private Uni<Integer> relayStep(String queue) {
        int room = window.room(queue, Priority.HIGH);
        for (Priority priority : Priority.values()) {
            room = Math.min(room, window.room(queue, priority));
        }
        int most = Math.min(batch, room);
        if (most == 0) {
            return Uni.createFrom().item(0);
        }
        return store.relay(queue, most, cameTo.getOrDefault(queue, BEGINNING))
                .call(taken -> send(queue, taken))
                .map(List::size);
    }

    private Uni<Void> send(String queue, List<Undispatched> taken) {
        if (taken.isEmpty()) {
            return Uni.createFrom().voidItem();
        }
        cameTo.put(queue, taken.stream().max(Relay::order).orElseThrow());
        return stream.append(queue, taken.stream().map(job -> new JobStream.Ready(job.id(), job.priority())).toList(),
                config.commandTimeout())
                .onFailure().call(() -> store.undispatch(taken.stream().map(Undispatched::id).toList())
                        .onFailure()
                        .invoke(failure -> LOG.warnf("%d jobs of queue %s wait for the reconciler: %s", taken.size(),
                                queue, failure.getMessage()))
                        .onFailure().recoverWithNull());
    }

    /** The order of the index: by priority, then as PostgreSQL compares uuids, byte by byte without sign. */
    private static int order(Undispatched a, Undispatched b) {
        int byPriority = Integer.compare(a.priority().code(), b.priority().code());
        if (byPriority != 0) {
            return byPriority;
        }
        int byMost = Long.compareUnsigned(a.id().getMostSignificantBits(), b.id().getMostSignificantBits());
        return byMost != 0
                ? byMost
                : Long.compareUnsigned(a.id().getLeastSignificantBits(), b.id().getLeastSignificantBits());
    }
}
