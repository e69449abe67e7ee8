package io.millrace.intake;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;

import jakarta.inject.Singleton;

import io.millrace.batch.BatchLimits;
import io.millrace.batch.Batcher;
import io.millrace.batch.EngineLoop;
import io.millrace.job.JobState;
import io.millrace.job.NewJob;
import io.millrace.job.StoredJob;
import io.millrace.store.JobStore;
import io.millrace.stream.DispatchWindow;
import io.millrace.stream.JobStream;
import io.millrace.stream.StreamConfig;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;

/**
 * Accepts jobs: commits them to PostgreSQL, then hands their ids to Redis. A job that was answered is committed, whatever
 * becomes of Redis.
 */
@Singleton
public class Intake {
    /** @param handedOut completes when the id is in Redis or left to the relay; the same for the whole batch */
    private record Stored(StoredJob job, Uni<Void> handedOut) {}

    private final JobStore store;
    private final Dispatcher dispatcher;
    private final long lookAheadMs;
    private final Batcher<NewJob, Stored> inserts;

    Intake(Vertx vertx, JobStore store, JobStream stream, DispatchWindow window, IntakeConfig config,
            StreamConfig streamConfig) {
        this.store = store;
        this.lookAheadMs = streamConfig.lookAhead().toMillis();
        this.dispatcher = new Dispatcher(vertx, store, stream, window, streamConfig);
        this.inserts = new Batcher<>("insert",
                new BatchLimits(config.batchItems(), config.batchBytes(), config.waiting(), config.waitingBytes(), 1,
                        config.timeout()),
                job -> job.payload().length(), JobStore::isFaultOfAJob, new EngineLoop(vertx), this::insert);
    }

    /**
     * Completes once the job is committed, and its id is in Redis or left to the relay.
     *
     * @return fails with {@link io.millrace.batch.BatchFullException} if too many jobs wait (nothing was stored), with a
     *         {@link io.vertx.pgclient.PgException} if PostgreSQL refused the job, or with another failure after which it is
     *         unknown whether the job is stored
     */
    public Uni<StoredJob> accept(NewJob job) {
        return inserts.submit(job).call(Stored::handedOut).map(Stored::job);
    }

    /**
     * Makes a job that was given up or cancelled ready again, and hands its id out. A compare-and-set: of many who try at once,
     * one succeeds.
     *
     * @param payload JSON; null to keep the one it has
     * @return false if the job is in no state to be replayed, or the tenant has none
     */
    public Uni<Boolean> replay(String tenant, UUID id, String payload) {
        return store.replay(tenant, id, payload, true).chain(replayed -> {
            if (replayed == null) {
                return Uni.createFrom().item(false);
            }
            Dispatcher.Hints hints = new Dispatcher.Hints();
            hints.addReady(replayed.queue(), id, replayed.priority());
            return dispatcher.dispatch(hints).replaceWith(true);
        });
    }

    private Uni<List<Stored>> insert(List<NewJob> jobs) {
        List<JobStore.Insert> rows = new ArrayList<>(jobs.size());
        for (NewJob job : jobs) {
            rows.add(new JobStore.Insert(job, dispatcher.isOpenFor(job.queue(), job.priority())));
        }
        return store.insert(rows).map(stored -> {
            Uni<Void> handedOut = handOut(rows, stored).memoize().indefinitely();
            // Whether anybody still waits or not: a client that hangs up takes its answer along, not its job.
            handedOut.subscribe().with(done -> {});
            List<Stored> results = new ArrayList<>(jobs.size());
            jobs.forEach(job -> results.add(new Stored(stored.get(job.id()), handedOut)));
            return results;
        });
    }

    private Uni<Void> handOut(List<JobStore.Insert> rows, Map<UUID, StoredJob> stored) {
        Dispatcher.Hints hints = new Dispatcher.Hints();
        for (JobStore.Insert row : rows) {
            NewJob job = row.job();
            StoredJob result = stored.get(job.id());
            if (result == null) {
                continue; // the id was there before; the caller is told
            }
            if (result.state() == JobState.SCHEDULED) {
                long dueEpochMs = result.runAt().plusNanos(999_999).toEpochMilli(); // rounded up: never early
                if (dueEpochMs - result.createdAt().toEpochMilli() <= lookAheadMs) {
                    hints.addWaiting(job.queue(), job.id(), job.priority(), dueEpochMs);
                }
            } else if (row.dispatch()) {
                hints.addReady(job.queue(), job.id(), job.priority());
            }
        }
        return dispatcher.dispatch(hints);
    }
}
