package io.millrace.maintenance;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;

import jakarta.inject.Singleton;

import org.jboss.logging.Logger;

import io.millrace.settle.WorkerName;
import io.millrace.store.CensusStore;
import io.millrace.store.CensusStore.Open;
import io.millrace.store.CensusStore.Waiting;
import io.millrace.stream.ByteCache;
import io.millrace.stream.KeyHints;
import io.millrace.stream.RedisKeys;
import io.millrace.stream.StreamRepair;
import io.millrace.stream.StreamRepair.Pending;
import io.millrace.worker.Worker;
import io.smallrye.mutiny.Uni;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonObject;

/**
 * Counts what waits, runs and was given up in each queue. One process does it at a time and leaves the counts in Redis, where the
 * others find them, so that the cost does not grow with their number either. While Redis is away each counts for itself.
 *
 * <p>
 * All counts are bounded: beyond {@link #MOST_OF_A_KIND} they say "so many at least".
 */
@Singleton
public class Census {
    private static final Logger LOG = Logger.getLogger(Census.class);
    /** Queues counted, those of this process first: as many may be labels of a metric. */
    public static final int MOST_QUEUES = 100;
    /** Jobs counted of one queue and priority that stand on its stream, and again of those that stand on none. */
    static final int MOST_OF_A_KIND = 5_000;
    /** Waiting jobs counted over all queues, the next first. */
    private static final int MOST_WAITING = 10_000;
    /** Dead letters counted of one queue. */
    private static final int MOST_DEAD = 10_000;
    /** Pending entries of one stream whose idle time is looked at, the oldest first. */
    private static final int MOST_PENDING = 1_000;
    /** Counts are kept for so many intervals in Redis, and again in a process: then they say nothing of today. */
    private static final int STALE_AFTER = 3;

    /**
     * What was counted of a queue.
     *
     * @param ready due, and not started
     * @param waiting for their time
     * @param readyAge seconds since the ready one that has waited longest could run; 0 if none is ready
     * @param pending entries delivered and not finished; -1 if Redis did not say
     * @param pendingIdle seconds since the one of them that has been silent longest was heard of
     */
    public record Counts(long ready, long running, long waiting, double readyAge, long dead, long pending,
            double pendingIdle) {}

    private static final Counts NOTHING = new Counts(0, 0, 0, 0, 0, 0, 0);

    private final CensusStore store;
    private final StreamRepair streams;
    private final KeyHints hints;
    private final ByteCache cache;
    private final Worker worker;
    private final WorkerName name;
    private final Duration every;
    private final Duration stepTimeout;
    private volatile Map<String, Counts> latest = Map.of();
    private volatile long takenNanos = System.nanoTime();
    private volatile Consumer<Set<String>> onTaken = queues -> {};

    Census(CensusStore store, StreamRepair streams, KeyHints hints, ByteCache cache, Worker worker, WorkerName name,
            MaintenanceConfig config) {
        this.store = store;
        this.streams = streams;
        this.hints = hints;
        this.cache = cache;
        this.worker = worker;
        this.name = name;
        this.every = config.censusEvery();
        this.stepTimeout = config.stepTimeout();
    }

    /** @param listener gets the names of the queues that were counted; it must not block */
    public void onTaken(Consumer<Set<String>> listener) {
        onTaken = listener;
    }

    /** @return what was counted last; a queue that was not found is empty */
    public Counts of(String queue) {
        return latest.getOrDefault(queue, NOTHING);
    }

    /** @return false if the last count is so old that it says nothing of today */
    public boolean isFresh() {
        return System.nanoTime() - takenNanos < every.toNanos() * STALE_AFTER;
    }

    /** One pass. @return how many queues it counted; 0 if another process does */
    public Uni<Integer> take() {
        // A little less than the interval, or the next turn would find this one.
        Duration turn = Duration.ofMillis(Math.max(1, every.toMillis() * 9 / 10));
        return hints.isRepeat(RedisKeys.censusTurn(), name.value(), turn)
                .chain(isTaken -> isTaken ? adopt() : count());
    }

    private Uni<Integer> adopt() {
        return cache.get(RedisKeys.census()).map(bytes -> {
            Map<String, Counts> counts = bytes == null ? null : read(bytes);
            if (counts != null) {
                publish(counts);
            }
            return 0;
        });
    }

    private Uni<Integer> count() {
        Uni<Set<String>> found = Passes.within(stepTimeout, store.findKnownQueues(MOST_QUEUES));
        Uni<Map<String, Waiting>> waiting = Passes.within(stepTimeout, store.countWaiting(MOST_WAITING));
        Map<String, Counts> counts = new TreeMap<>();
        return found.chain(known -> waiting.chain(byQueue -> {
            Set<String> queues = choose(known, byQueue.keySet());
            return Passes.sumOver(new ArrayList<>(queues),
                    queue -> countQueue(queue, byQueue.getOrDefault(queue, new Waiting(0, 0, 0)))
                            .invoke(one -> counts.put(queue, one)).replaceWith(1));
        })).call(() -> cache.put(RedisKeys.census(), write(counts), every.multipliedBy(STALE_AFTER)))
                .invoke(() -> publish(counts));
    }

    private Set<String> choose(Set<String> known, Set<String> waiting) {
        Set<String> chosen = new TreeSet<>(worker.queues());
        for (Set<String> names : List.of(known, waiting)) {
            for (String queue : new TreeSet<>(names)) {
                if (chosen.size() < MOST_QUEUES) {
                    chosen.add(queue);
                }
            }
        }
        return chosen;
    }

    private Uni<Counts> countQueue(String queue, Waiting waiting) {
        Uni<Open> open = Passes.within(stepTimeout, store.countQueue(queue, MOST_OF_A_KIND, MOST_DEAD));
        Uni<Pending> pending = streams.countPending(queue, MOST_PENDING)
                .onFailure()
                .invoke(failure -> LOG.debugf("cannot count the entries of queue %s: %s", queue, failure.getMessage()))
                .onFailure().recoverWithItem(new Pending(-1, 0));
        return open.chain(jobs -> pending.map(entries -> new Counts(jobs.ready() + waiting.overdue(), jobs.running(),
                waiting.waiting(), Math.max(jobs.readyAge(), waiting.overdueAge()), jobs.dead(), entries.count(),
                entries.longestIdleMs() / 1_000.0)));
    }

    private void publish(Map<String, Counts> counts) {
        latest = Map.copyOf(counts);
        takenNanos = System.nanoTime();
        onTaken.accept(counts.keySet());
    }

    private static byte[] write(Map<String, Counts> counts) {
        JsonObject all = new JsonObject();
        counts.forEach((queue, one) -> all.put(queue, new JsonObject().put("ready", one.ready()).put("running", one.running())
                .put("waiting", one.waiting()).put("readyAge", one.readyAge()).put("dead", one.dead())
                .put("pending", one.pending()).put("pendingIdle", one.pendingIdle())));
        return all.encode().getBytes(StandardCharsets.UTF_8);
    }

    /** @return null for what another version may have written */
    private static Map<String, Counts> read(byte[] bytes) {
        Map<String, Counts> counts = new TreeMap<>();
        try {
            JsonObject all = new JsonObject(new String(bytes, StandardCharsets.UTF_8));
            for (String queue : all.fieldNames()) {
                JsonObject one = all.getJsonObject(queue);
                counts.put(queue, new Counts(one.getLong("ready"), one.getLong("running"), one.getLong("waiting"),
                        one.getDouble("readyAge"), one.getLong("dead"), one.getLong("pending"), one.getDouble("pendingIdle")));
            }
        } catch (DecodeException | ClassCastException | NullPointerException notOurs) {
            LOG.debugf("cannot read the counts of another process: %s", notOurs.getMessage());
            return null;
        }
        return counts;
    }
}
