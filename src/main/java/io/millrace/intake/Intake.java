package io.millrace.intake;

import java.util.ArrayList;
import java.util.List;

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
    private record Stored(NewJob job, StoredJob stored, boolean dispatched) {}

    private final JobStore store;
    private final Dispatcher dispatcher;
    private final StreamConfig streamConfig;
    private final Batcher<NewJob, Stored> inserts;

    Intake(Vertx vertx, JobStore store, JobStream stream, DispatchWindow window, IntakeConfig config,
            StreamConfig streamConfig) {
        EngineLoop loop = new EngineLoop(vertx);
        this.store = store;
        this.streamConfig = streamConfig;
        this.dispatcher = new Dispatcher(store, stream, window, streamConfig, config, loop);
        this.inserts = new Batcher<>("insert",
                new BatchLimits(config.batchItems(), config.batchBytes(), config.waiting(), 1, config.timeout()),
                job -> job.payload().length(), JobStore::isFaultOfAJob, loop, this::insert);
    }

    /**
     * Completes once the job is committed, and its id is in Redis or left to the relay.
     *
     * @return fails with {@link io.millrace.batch.BatchFullException} if too many jobs wait (nothing was stored), with a
     *         {@link io.vertx.pgclient.PgException} if PostgreSQL refused the job, or with another failure after which it is
     *         unknown whether the job is stored
     */
    public Uni<StoredJob> accept(NewJob job) {
        return inserts.submit(job).call(this::handOut).map(Stored::stored);
    }

    private Uni<List<Stored>> insert(List<NewJob> jobs) {
        List<JobStore.Insert> rows = new ArrayList<>(jobs.size());
        for (NewJob job : jobs) {
            rows.add(new JobStore.Insert(job, dispatcher.isOpenFor(job.queue(), job.priority())));
        }
        return store.insert(rows).map(stored -> {
            List<Stored> results = new ArrayList<>(rows.size());
            for (JobStore.Insert row : rows) {
                results.add(new Stored(row.job(), stored.get(row.job().id()), row.dispatch()));
            }
            return results;
        });
    }

    private Uni<Void> handOut(Stored accepted) {
        NewJob job = accepted.job();
        if (accepted.stored().state() == JobState.SCHEDULED) {
            long dueEpochMs = accepted.stored().runAt().plusNanos(999_999).toEpochMilli(); // rounded up: never early
            boolean isSoon = dueEpochMs - accepted.stored().createdAt().toEpochMilli() <= streamConfig.lookAhead().toMillis();
            return isSoon ? dispatcher.delay(job.queue(), job.id(), job.priority(), dueEpochMs) : Uni.createFrom().voidItem();
        }
        return accepted.dispatched() ? dispatcher.append(job.queue(), job.id(), job.priority()) : Uni.createFrom().voidItem();
    }
}
