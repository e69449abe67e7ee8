package io.millrace.worker;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;

import jakarta.annotation.PreDestroy;
import jakarta.inject.Singleton;

import org.jboss.logging.Logger;

import io.millrace.handler.Cancellation;
import io.millrace.job.Lease;
import io.millrace.settle.WorkerName;
import io.millrace.store.DatabaseConfig;
import io.millrace.store.LeaseStore;
import io.millrace.stream.JobStream;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;

/**
 * Keeps the leases of running jobs, in one statement for all of them, on an event loop and a connection of its own: work that
 * hogs the other loops must not make this worker look dead. Tells a job to stop when its lease is lost, when nobody could say for
 * too long whether it holds, or when someone cancelled it.
 */
@Singleton
public class Heartbeat {
    private static final Logger LOG = Logger.getLogger(Heartbeat.class);

    private final RunningJobs running;
    private final LeaseConfig config;
    private final JobStream stream;
    private final WorkerName worker;
    private final Vertx vertx;
    private final LeaseStore store;
    private volatile boolean isStarted;
    private volatile boolean isBeating; // a timeout ends a beat on another thread

    Heartbeat(RunningJobs running, LeaseConfig config, DatabaseConfig database, JobStream stream, WorkerName worker) {
        this.running = running;
        this.config = config;
        this.stream = stream;
        this.worker = worker;
        this.vertx = Vertx
                .vertx(new VertxOptions().setEventLoopPoolSize(1).setWorkerPoolSize(1).setInternalBlockingPoolSize(1));
        this.store = new LeaseStore(vertx, database);
    }

    void start() {
        isStarted = true;
        // More often than the beat: a job is renewed at the first tick at which its lease is half a beat old.
        vertx.setPeriodic(Math.max(1, config.heartbeat().toMillis() / 2), tick -> {
            if (isStarted) {
                beat();
            }
        });
    }

    void stop() {
        isStarted = false;
    }

    @PreDestroy
    void close() {
        stop();
        vertx.close();
    }

    private void beat() {
        stopSilent();
        if (isBeating) {
            return; // the last one has not been answered yet
        }
        isBeating = true;
        // Deferred: what is thrown must not leave the beat under way for ever.
        Uni.createFrom().deferred(this::beatOnce).subscribe().with(done -> isBeating = false, failure -> {
            isBeating = false;
            store.disconnect();
            LOG.warnf("could not renew leases: %s", failure.getMessage());
        });
    }

    /** Renews every lease that was not confirmed within half a beat. */
    Uni<Void> beatOnce() {
        long dueNanos = config.heartbeat().toNanos() / 2;
        List<RunningJob> due = new ArrayList<>();
        for (RunningJob job : running.all()) {
            if (job.silentNanos() >= dueNanos && job.holdsLease()) {
                due.add(job);
            }
        }
        if (due.isEmpty()) {
            return Uni.createFrom().voidItem();
        }
        List<Lease> leases = due.stream().map(job -> job.job().lease()).toList();
        long sentNanos = System.nanoTime();
        return store.renew(leases, config.duration()).ifNoItem().after(config.heartbeat()).fail()
                .invoke(held -> due.forEach(job -> answer(job, held, sentNanos)))
                .call(held -> renewEntries(due, held))
                .replaceWithVoid();
    }

    private void answer(RunningJob job, Map<UUID, Boolean> held, long sentNanos) {
        Boolean shouldStop = held.get(job.job().id());
        if (shouldStop == null) {
            job.loseLease();
            return;
        }
        job.confirmLease(sentNanos);
        if (shouldStop) {
            job.cancellation().request(Cancellation.Cause.CANCELLED);
        }
    }

    /** After PostgreSQL has confirmed the lease, and only then: keeps the sweeper away from the entry. Best effort. */
    private Uni<Void> renewEntries(List<RunningJob> due, Map<UUID, Boolean> held) {
        return stream.renew(worker.value(), due.stream().filter(job -> held.containsKey(job.job().id()))
                .flatMap(job -> job.entries().stream()).toList())
                .onFailure().invoke(failure -> LOG.debugf("could not renew entries: %s", failure.getMessage()))
                .onFailure().recoverWithNull();
    }

    private void stopSilent() {
        Duration limit = config.stopAfter();
        for (RunningJob job : running.all()) {
            if (job.silentNanos() > limit.toNanos() && job.loseLease()) {
                LOG.warnf("%s: no heartbeat was confirmed for %s, stopping it", job.job(), limit);
            }
        }
    }
}
