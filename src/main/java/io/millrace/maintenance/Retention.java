package io.millrace.maintenance;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Collectors;

import jakarta.inject.Singleton;

import org.jboss.logging.Logger;

import io.millrace.job.JobIds;
import io.millrace.job.JobState;
import io.millrace.store.Database;
import io.millrace.store.RepairStore;
import io.millrace.store.RepairStore.Deleted;
import io.millrace.store.RepairStore.Deletion;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;

/**
 * Deletes jobs that ended long ago, with their attempts and files. No index knows when a job ended; ids are ordered by the time
 * of acceptance, so it walks the primary key from the newest id that can be old enough, a page a step. Each pass looks at what
 * has come of age since the pass before, and then goes on with a lap over all that is older, where the jobs are that took long to
 * end or are kept longer. A pass looks at a bounded number of jobs that stay.
 *
 * <p>
 * Safe in any number of processes: a step locks the jobs it deletes, skips those that another process has locked, and looks at
 * them again under the lock, so that a job that is being replayed stays. Processes that walk the same stretch share its work.
 */
@Singleton
public class Retention {
    private static final Logger LOG = Logger.getLogger(Retention.class);
    private static final UUID LOWEST = new UUID(0, 0);
    /** A backlog may take many passes; the crew gives up on a pass after five times as long. */
    private static final Duration LONGEST_PASS = Duration.ofMinutes(1);

    /** Is told what a step has deleted. */
    @FunctionalInterface
    public interface Listener {
        void deleted(String queue, JobState state, int count);
    }

    /** Ids from {@code below} down to {@code downTo}; the walk moves {@code below}. */
    private static final class Stretch {
        private UUID below;
        private final UUID downTo;

        Stretch(UUID below, UUID downTo) {
            this.below = below;
            this.downTo = downTo;
        }

        boolean isWalked() {
            return below.equals(downTo);
        }
    }

    private final RepairStore store;
    private final Map<String, Long> keepMs;
    private final Duration shortest;
    private final int items;
    private final int keptPerPass;
    private final List<Listener> listeners = new ArrayList<>();
    private int page;
    /** Where the pass before began; null before the first. */
    private UUID cameOfAge;
    private Stretch lap = new Stretch(LOWEST, LOWEST);

    Retention(RepairStore store, RetentionConfig config) {
        this.store = store;
        this.keepMs = keepMs(config);
        this.shortest = Duration.ofMillis(Collections.min(keepMs.values()));
        this.items = config.items();
        this.keptPerPass = config.keptPerPass();
        this.page = items;
    }

    public void onDeleted(Listener listener) {
        listeners.add(listener);
    }

    /** One pass, one at a time. @return how many jobs it deleted */
    public Uni<Integer> deleteEnded() {
        UUID newest = JobIds.lowestAt(Instant.now().minus(shortest));
        Stretch fresh = new Stretch(newest, cameOfAge == null ? newest : cameOfAge);
        cameOfAge = newest;
        if (lap.isWalked()) {
            lap = new Stretch(newest, LOWEST);
        }
        long startNanos = System.nanoTime();
        Map<String, Integer> counts = new HashMap<>();
        // Told however the pass ends: what its first steps deleted is gone, though a later one failed.
        return Passes.sumOver(List.of(fresh, lap), stretch -> walk(stretch, startNanos, counts))
                .onTermination().invoke(() -> log(counts));
    }

    private static void log(Map<String, Integer> counts) {
        if (!counts.isEmpty()) {
            LOG.infof("jobs that ended long ago were deleted: %s", counts.entrySet().stream()
                    .map(entry -> entry.getValue() + " " + entry.getKey()).sorted().collect(Collectors.joining(", ")));
        }
    }

    private Uni<Integer> walk(Stretch stretch, long startNanos, Map<String, Integer> counts) {
        int[] kept = {0};
        return Multi.createBy().repeating()
                .uni(() -> stretch.isWalked() ? Uni.createFrom().item(0) : step(stretch, kept, counts))
                .whilst(deleted -> !stretch.isWalked() && kept[0] < keptPerPass
                        && System.nanoTime() - startNanos < LONGEST_PASS.toNanos())
                .collect().with(Collectors.summingInt(Integer::intValue));
    }

    private Uni<Integer> step(Stretch stretch, int[] kept, Map<String, Integer> counts) {
        int asked = page;
        return store.deleteEnded(stretch.below, stretch.downTo, asked, keepMs)
                // Jobs may have files of megabytes: where 500 of them are too many for one statement, fewer are not.
                .onFailure(Database::isTooSlow).invoke(() -> page = Math.max(1, asked / 2))
                .map(deletion -> {
                    page = Math.min(items, asked * 2);
                    stretch.below = deletion.lookedAt() < asked ? stretch.downTo : deletion.lowest();
                    int count = tell(deletion, counts);
                    kept[0] += deletion.lookedAt() - count;
                    return count;
                });
    }

    private int tell(Deletion deletion, Map<String, Integer> counts) {
        int count = 0;
        for (Deleted deleted : deletion.deleted()) {
            count += deleted.count();
            counts.merge(deleted.state().name(), deleted.count(), Integer::sum);
            listeners.forEach(listener -> listener.deleted(deleted.queue(), deleted.state(), deleted.count()));
        }
        return count;
    }

    /** By state, and by queue and state where a queue differs. */
    private static Map<String, Long> keepMs(RetentionConfig config) {
        Map<String, Long> keepMs = new HashMap<>();
        keepMs.put(JobState.COMPLETED.name(), config.completed().toMillis());
        keepMs.put(JobState.CANCELLED.name(), config.cancelled().toMillis());
        keepMs.put(JobState.FAILED.name(), config.failed().toMillis());
        config.queues().forEach((queue, times) -> {
            put(keepMs, queue, JobState.COMPLETED, times.completed());
            put(keepMs, queue, JobState.CANCELLED, times.cancelled());
            put(keepMs, queue, JobState.FAILED, times.failed());
        });
        return Map.copyOf(keepMs);
    }

    private static void put(Map<String, Long> keepMs, String queue, JobState state, Optional<Duration> time) {
        time.ifPresent(given -> keepMs.put(queue + "/" + state, given.toMillis()));
    }
}
