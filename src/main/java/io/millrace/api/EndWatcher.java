package io.millrace.api;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;

import org.jboss.logging.Logger;

import io.millrace.store.JobQueries;
import io.quarkus.runtime.ShutdownDelayInitiatedEvent;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.UniEmitter;
import io.vertx.core.Vertx;

/**
 * Tells requests that wait for the end of a job when it has come. One question to PostgreSQL for all of them, a few times a
 * second while somebody waits and never otherwise.
 */
@Singleton
public class EndWatcher {
    private static final Logger LOG = Logger.getLogger(EndWatcher.class);
    private static final long LOOK_EVERY_MS = 40;
    private static final int IDS_PER_QUESTION = 1_000;

    private final Vertx vertx;
    private final JobQueries queries;
    private final int maxWaiting;
    private final Duration drain;

    // Guarded by `this`.
    private final Map<UUID, List<UniEmitter<? super Boolean>>> waiting = new HashMap<>();
    private int waitingCount;
    private boolean isLooking;
    private boolean isClosed;

    EndWatcher(Vertx vertx, JobQueries queries, ApiConfig config) {
        this.vertx = vertx;
        this.queries = queries;
        this.maxWaiting = config.maxWaiting();
        this.drain = config.drain();
    }

    /** Nobody waits longer than the API drains: what is not answered by then would be cut off. */
    void drain(@Observes ShutdownDelayInitiatedEvent event) {
        if (drain.isZero()) {
            close();
        } else {
            vertx.setTimer(drain.toMillis(), fired -> close());
        }
    }

    private void close() {
        List<UUID> all;
        synchronized (this) {
            isClosed = true;
            all = List.copyOf(waiting.keySet());
        }
        all.forEach(id -> tell(id, false));
    }

    /**
     * @return true once the job has ended, or does not exist; false if that took longer than {@code limit}, too many wait, or this
     *         process stops
     */
    Uni<Boolean> awaitEnd(UUID id, Duration limit) {
        Uni<Boolean> ended = Uni.createFrom().emitter(emitter -> {
            if (add(id, emitter)) {
                emitter.onTermination(() -> remove(id, emitter));
            } else {
                emitter.complete(false);
            }
        });
        return ended.ifNoItem().after(limit).recoverWithItem(false);
    }

    private synchronized boolean add(UUID id, UniEmitter<? super Boolean> emitter) {
        if (isClosed || waitingCount >= maxWaiting) {
            return false;
        }
        waiting.computeIfAbsent(id, key -> new ArrayList<>(1)).add(emitter);
        waitingCount++;
        if (!isLooking) {
            isLooking = true;
            vertx.setTimer(LOOK_EVERY_MS, fired -> look());
        }
        return true;
    }

    private synchronized void remove(UUID id, UniEmitter<? super Boolean> emitter) {
        List<UniEmitter<? super Boolean>> ofJob = waiting.get(id);
        if (ofJob != null && ofJob.remove(emitter)) {
            waitingCount--;
            if (ofJob.isEmpty()) {
                waiting.remove(id);
            }
        }
    }

    private void look() {
        List<UUID> ids;
        synchronized (this) {
            if (waiting.isEmpty()) {
                isLooking = false;
                return;
            }
            ids = List.copyOf(waiting.keySet());
        }
        List<Uni<Set<UUID>>> questions = new ArrayList<>();
        for (int i = 0; i < ids.size(); i += IDS_PER_QUESTION) {
            questions.add(queries.findEnded(ids.subList(i, Math.min(ids.size(), i + IDS_PER_QUESTION))));
        }
        Uni.join().all(questions).andFailFast().subscribe().with(answers -> {
            answers.forEach(ended -> ended.forEach(id -> tell(id, true)));
            vertx.setTimer(LOOK_EVERY_MS, fired -> look());
        }, failure -> {
            LOG.debugf("could not look for ended jobs: %s", failure.getMessage());
            vertx.setTimer(LOOK_EVERY_MS * 10, fired -> look());
        });
    }

    private void tell(UUID id, boolean hasEnded) {
        List<UniEmitter<? super Boolean>> ofJob;
        synchronized (this) {
            ofJob = waiting.remove(id);
            waitingCount -= ofJob == null ? 0 : ofJob.size();
        }
        if (ofJob != null) {
            ofJob.forEach(emitter -> emitter.complete(hasEnded));
        }
    }
}
