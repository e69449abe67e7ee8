package io.millrace.maintenance;

import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

import jakarta.inject.Singleton;

import io.millrace.store.JobStore;
import io.millrace.store.JobStore.Due;
import io.millrace.stream.JobStream;
import io.millrace.stream.StreamConfig;
import io.smallrye.mutiny.Uni;

/**
 * Brings the jobs that are due within the next minutes from PostgreSQL into the delayed sets, so that Redis holds minutes and
 * not months. What is scheduled nearer than that goes into the set when it is accepted, too.
 *
 * <p>
 * Safe in any number of processes: putting a job into the set twice is the same as once.
 */
@Singleton
public class DelayedLoader {
    private static final int PAGE = 500;
    private static final OffsetDateTime BEGINNING = OffsetDateTime.ofInstant(Instant.EPOCH, ZoneOffset.UTC);
    private static final UUID LOWEST = new UUID(0, 0);

    private final JobStore store;
    private final JobStream stream;
    private final StreamConfig config;
    private final Duration stepTimeout;
    private OffsetDateTime cameTo = BEGINNING;
    private UUID cameToId = LOWEST;

    DelayedLoader(JobStore store, JobStream stream, StreamConfig config, MaintenanceConfig maintenance) {
        this.store = store;
        this.stream = stream;
        this.config = config;
        this.stepTimeout = maintenance.stepTimeout();
    }

    /** One pass, one at a time. @return how many jobs it put into delayed sets */
    public Uni<Integer> loadDelayed() {
        // Each pass brings all of them again: one may have been scheduled behind the last pass, or have been lost by Redis.
        cameTo = BEGINNING;
        cameToId = LOWEST;
        return Passes.untilNothing(stepTimeout, this::loadPage);
    }

    private Uni<Integer> loadPage() {
        return store.findDue(config.lookAhead(), cameTo, cameToId, PAGE).chain(page -> {
            if (page.isEmpty()) {
                return Uni.createFrom().item(0);
            }
            return delay(page).map(done -> {
                Due last = page.get(page.size() - 1);
                cameTo = last.runAt();
                cameToId = last.id();
                return page.size();
            });
        });
    }

    private Uni<Void> delay(List<Due> page) {
        Map<String, List<JobStream.Waiting>> byQueue = new HashMap<>();
        for (Due due : page) {
            byQueue.computeIfAbsent(due.queue(), queue -> new ArrayList<>())
                    .add(new JobStream.Waiting(due.id(), due.priority(), due.dueEpochMs()));
        }
        List<Uni<Void>> calls = new ArrayList<>(byQueue.size());
        byQueue.forEach((queue, jobs) -> calls.add(stream.delay(queue, jobs, config.commandTimeout())));
        return Uni.join().all(calls).andFailFast().replaceWithVoid();
    }
}
