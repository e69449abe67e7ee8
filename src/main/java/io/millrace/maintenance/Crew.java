package io.millrace.maintenance;

import java.time.Duration;
import java.util.function.Supplier;

import jakarta.inject.Singleton;

import org.jboss.logging.Logger;

import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import io.smallrye.mutiny.Uni;

/** Runs the chores on their timers, in processes that work. A chore that fails is tried again at its next tick. */
@Singleton
public class Crew {
    private static final Logger LOG = Logger.getLogger(Crew.class);

    /** A pass that takes longer is given up, so that a connection that never answers cannot end a chore for good. */
    private static final Duration LONGEST_PASS = Duration.ofMinutes(5);

    private final Relay relay;
    private final DelayedLoader loader;
    private final Reclaimer reclaimer;
    private final Reaper reaper;
    private final Reconciler reconciler;
    private final ConsumerJanitor janitor;
    private final Retention retention;
    private volatile boolean isStarted;

    Crew(Relay relay, DelayedLoader loader, Reclaimer reclaimer, Reaper reaper, Reconciler reconciler,
            ConsumerJanitor janitor, Retention retention) {
        this.relay = relay;
        this.loader = loader;
        this.reclaimer = reclaimer;
        this.reaper = reaper;
        this.reconciler = reconciler;
        this.janitor = janitor;
        this.retention = retention;
    }

    public void start() {
        isStarted = true;
    }

    public void stop() {
        isStarted = false;
    }

    @Scheduled(every = "${millrace.maintenance.relay-every:1s}", concurrentExecution = ConcurrentExecution.SKIP)
    Uni<Void> relay() {
        return run("relay", relay::relayOnce);
    }

    @Scheduled(every = "${millrace.maintenance.load-every:60s}", concurrentExecution = ConcurrentExecution.SKIP)
    Uni<Void> load() {
        return run("load of delayed jobs", loader::loadDelayed);
    }

    @Scheduled(every = "${millrace.maintenance.reclaim-every:15s}", concurrentExecution = ConcurrentExecution.SKIP)
    Uni<Void> reclaim() {
        return run("sweep for stuck entries", reclaimer::reclaimIdle);
    }

    @Scheduled(every = "${millrace.maintenance.reap-every:10s}", concurrentExecution = ConcurrentExecution.SKIP)
    Uni<Void> reap() {
        return run("search for expired leases", reaper::reapExpired);
    }

    @Scheduled(every = "${millrace.maintenance.reconcile-every:30s}", concurrentExecution = ConcurrentExecution.SKIP)
    Uni<Void> reconcile() {
        return run("comparison with the streams", reconciler::reconcile);
    }

    @Scheduled(every = "${millrace.maintenance.trim-every:10m}", concurrentExecution = ConcurrentExecution.SKIP)
    Uni<Void> trim() {
        return run("search for consumers that are gone", janitor::trimConsumers);
    }

    @Scheduled(every = "${millrace.retention.every:1m}", concurrentExecution = ConcurrentExecution.SKIP)
    Uni<Void> deleteEnded() {
        return run("deletion of old jobs", retention::deleteEnded);
    }

    private Uni<Void> run(String chore, Supplier<Uni<Integer>> pass) {
        if (!isStarted) {
            return Uni.createFrom().voidItem();
        }
        return Uni.createFrom().deferred(pass::get).ifNoItem().after(LONGEST_PASS).fail()
                .invoke(count -> LOG.debugf("%s: %d jobs", chore, count))
                .onFailure()
                .invoke(failure -> LOG.warnf("the %s failed, it will be tried again: %s", chore, failure.getMessage()))
                .onFailure().recoverWithNull().replaceWithVoid();
    }
}
