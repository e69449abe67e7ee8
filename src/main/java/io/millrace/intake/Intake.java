package io.millrace.intake;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.stream.Stream;

import jakarta.inject.Singleton;

import io.millrace.audit.AuditEntry;
import io.millrace.batch.BatchLimits;
import io.millrace.batch.Batcher;
import io.millrace.batch.EngineLoop;
import io.millrace.job.JobState;
import io.millrace.job.KeyedJob;
import io.millrace.job.NewJob;
import io.millrace.job.Receipt;
import io.millrace.job.StoredJob;
import io.millrace.store.JobStore;
import io.millrace.store.KeyStore;
import io.millrace.stream.DispatchWindow;
import io.millrace.stream.JobStream;
import io.millrace.stream.KeyHints;
import io.millrace.stream.StreamConfig;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;

/**
 * Accepts jobs: commits them to PostgreSQL, then hands their ids to Redis. A job that was answered is committed, whatever
 * becomes of Redis. What else callers want of a job, that it be cancelled or run again, comes here, too.
 */
@Singleton
public class Intake {
    /** @param handedOut completes when the id is in Redis or left to the relay; the same for the whole batch */
    private record Stored(StoredJob job, Uni<Void> handedOut) {}

    private final JobStore store;
    private final Dispatcher dispatcher;
    private final long lookAheadMs;
    private final Batcher<NewJob, Stored> inserts;
    private final KeyedIntake keyed;
    private volatile Consumer<NewJob> onAccepted = job -> {};
    private volatile BiConsumer<UUID, JobState> onCancelled = (id, state) -> {};
    private volatile BiConsumer<UUID, String> onReplayed = (id, queue) -> {};

    Intake(Vertx vertx, JobStore store, KeyStore keys, JobStream stream, KeyHints hints, DispatchWindow window,
            IntakeConfig config,
            IdempotencyConfig idempotency, StreamConfig streamConfig) {
        this.store = store;
        this.lookAheadMs = streamConfig.lookAhead().toMillis();
        this.dispatcher = new Dispatcher(vertx, store, stream, window, streamConfig);
        BatchLimits limits = new BatchLimits(config.batchItems(), config.batchBytes(), config.waiting(), config.waitingBytes(),
                1,
                config.timeout());
        this.inserts = new Batcher<>("insert", limits, job -> job.payload().length(), JobStore::isFaultOfAJob,
                new EngineLoop(vertx), this::insert);
        this.keyed = new KeyedIntake(vertx, keys, hints, idempotency, limits, job -> job.payload().length(), this::toRow,
                this::handOutOnce);
    }

    /** @param listener gets each job that is committed; it must not block */
    public void onAccepted(Consumer<NewJob> listener) {
        onAccepted = listener;
    }

    /** @param listener gets each job that somebody cancelled and its state: PROCESSING if its worker will be told. It must not block */
    public void onCancelled(BiConsumer<UUID, JobState> listener) {
        onCancelled = listener;
    }

    /** @param listener gets each job that somebody wants again, and its queue; it must not block */
    public void onReplayed(BiConsumer<UUID, String> listener) {
        onReplayed = listener;
    }

    /** @return how many jobs went to a stream as soon as they were accepted */
    public long dispatchedCount() {
        return dispatcher.dispatchedCount();
    }

    /** @return what it does in batches */
    public List<Batcher<?, ?>> batchers() {
        return Stream.concat(Stream.of(inserts), keyed.batchers().stream()).toList();
    }

    /**
     * Completes once the job is committed, and its id is in Redis or left to the relay.
     *
     * @return fails with {@link io.millrace.batch.BatchFullException} if too many jobs wait (nothing was stored), with a
     *         {@link io.vertx.pgclient.PgException} if PostgreSQL refused the job, or with another failure after which it is
     *         unknown whether the job is stored
     */
    public Uni<StoredJob> accept(NewJob job) {
        return Uni.createFrom().emitter(emitter -> inserts.submit(job, new Batcher.Answer<>() {
            @Override
            public void result(Stored stored) {
                stored.handedOut().subscribe().with(done -> emitter.complete(stored.job()), emitter::fail);
            }

            @Override
            public void failure(Throwable failure) {
                emitter.fail(failure);
            }
        }));
    }

    /**
     * The same for a job that may have keys; one that has is stored at most once.
     *
     * @return what became of it
     */
    public Uni<Receipt> accept(KeyedJob job) {
        return job.keys().isEmpty()
                ? accept(job.job()).map(stored -> Receipt.created(job.job().queue(), stored))
                : keyed.accept(job);
    }

    /** @return how many requests with an idempotency key were repeats, found by looking up a key that Redis knew */
    public long replaysFoundByHint() {
        return keyed.replaysFoundByHint();
    }

    /** @return how many were repeats, and found out only when they were about to be stored */
    public long replaysFoundByInsert() {
        return keyed.replaysFoundByInsert();
    }

    /** As {@link JobStore#cancel}. */
    public Uni<JobState> cancel(String tenant, UUID id, AuditEntry entry) {
        return store.cancel(tenant, id, entry).onItem().ifNotNull().invoke(state -> onCancelled.accept(id, state));
    }

    /**
     * Makes a job that was given up or cancelled ready again, and hands its id out. A compare-and-set: of many who try at once,
     * one succeeds.
     *
     * @param payload JSON; null to keep the one it has
     * @param entry who wants it, for the audit log
     * @return false if the job is in no state to be replayed, or the tenant has none; fails if {@link KeyStore#isOvertaken}: another
     *         job with its unique key has not ended
     */
    public Uni<Boolean> replay(String tenant, UUID id, String payload, AuditEntry entry) {
        return store.replay(tenant, id, payload, true, entry).chain(replayed -> {
            if (replayed == null) {
                return Uni.createFrom().item(false);
            }
            onReplayed.accept(id, replayed.queue());
            Dispatcher.Hints hints = new Dispatcher.Hints();
            hints.addReady(replayed.queue(), id, replayed.priority());
            return dispatcher.dispatch(hints).replaceWith(true);
        });
    }

    private Uni<List<Stored>> insert(List<NewJob> jobs) {
        List<JobStore.Insert> rows = new ArrayList<>(jobs.size());
        jobs.forEach(job -> rows.add(toRow(job)));
        return store.insert(rows).map(stored -> {
            Uni<Void> handedOut = handOutOnce(rows, stored);
            List<Stored> results = new ArrayList<>(jobs.size());
            jobs.forEach(job -> results.add(new Stored(stored.get(job.id()), handedOut)));
            return results;
        });
    }

    private JobStore.Insert toRow(NewJob job) {
        return new JobStore.Insert(job, dispatcher.isOpenFor(job.queue(), job.priority()));
    }

    private Uni<Void> handOutOnce(List<JobStore.Insert> rows, Map<UUID, StoredJob> stored) {
        Uni<Void> handedOut = handOut(rows, stored).memoize().indefinitely();
        // Whether anybody still waits or not: a client that hangs up takes its answer along, not its job.
        handedOut.subscribe().with(done -> {});
        return handedOut;
    }

    private Uni<Void> handOut(List<JobStore.Insert> rows, Map<UUID, StoredJob> stored) {
        Dispatcher.Hints hints = new Dispatcher.Hints();
        for (JobStore.Insert row : rows) {
            NewJob job = row.job();
            StoredJob result = stored.get(job.id());
            if (result == null) {
                continue; // of a job with keys: it was not stored, and the caller is told
            }
            onAccepted.accept(job);
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
