package io.millrace.maintenance;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

import jakarta.inject.Singleton;

import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;

/**
 * Runs the chores in processes that work: on their timers, and those that find what Redis has lost also at once when there is a
 * sign that it has. A chore that fails is tried again at its next tick.
 */
@Singleton
public class Crew {
    /** After a load, which brings what is not due yet: long enough that what became due meanwhile counts as overdue. */
    private static final Duration FROM_LOAD_TO_RECONCILE = Reconciler.SHORT_MARGIN.plusMillis(500);
    /** A second look, because processes come back one after the other, and what they did till then may be lost, too. */
    private static final int LOOKS = 2;
    private static final Duration FROM_LOOK_TO_LOOK = Duration.ofSeconds(4);

    private final Vertx vertx;
    private final Chore relay;
    private final Chore load;
    private final Chore reclaim;
    private final Chore reap;
    private final Chore reconcile;
    private final Chore trim;
    private final Chore dropOrphans;
    private final Chore deleteEnded;
    private final Chore deleteExpired;
    private final Chore deleteOldAudit;
    private final Chore census;
    private final AtomicInteger looksToTake = new AtomicInteger();
    private final AtomicBoolean isLooking = new AtomicBoolean();
    private volatile boolean isStarted;

    Crew(Vertx vertx, Relay relay, DelayedLoader loader, Reclaimer reclaimer, Reaper reaper, Reconciler reconciler,
            ConsumerJanitor janitor, EntryJanitor entryJanitor, Retention retention, KeySweeper sweeper,
            AuditSweeper auditSweeper, Census census) {
        this.vertx = vertx;
        this.relay = new Chore("relay", relay::relayOnce);
        this.load = new Chore("load of delayed jobs", loader::loadDelayed);
        this.reclaim = new Chore("sweep for stuck entries", reclaimer::reclaimIdle);
        this.reap = new Chore("search for expired leases", reaper::reapExpired);
        this.reconcile = new Chore("comparison with the streams", reconciler::reconcile);
        this.trim = new Chore("search for consumers that are gone", janitor::trimConsumers);
        this.dropOrphans = new Chore("search for entries that belong to nobody", entryJanitor::dropOrphans);
        this.deleteEnded = new Chore("deletion of old jobs", retention::deleteEnded);
        this.deleteExpired = new Chore("deletion of old keys", sweeper::deleteExpired);
        this.deleteOldAudit = new Chore("deletion of old rows of the audit log", auditSweeper::deleteOld);
        this.census = new Chore("count of jobs for the metrics", census::take);
        reconciler.onHurry(this::lookSoon);
    }

    public void start() {
        isStarted = true;
    }

    public void stop() {
        isStarted = false;
    }

    @Scheduled(every = "${millrace.maintenance.relay-every:1s}", concurrentExecution = ConcurrentExecution.SKIP)
    Uni<Void> relay() {
        return run(relay);
    }

    @Scheduled(every = "${millrace.maintenance.load-every:60s}", concurrentExecution = ConcurrentExecution.SKIP)
    Uni<Void> load() {
        return run(load);
    }

    @Scheduled(every = "${millrace.maintenance.reclaim-every:15s}", concurrentExecution = ConcurrentExecution.SKIP)
    Uni<Void> reclaim() {
        return run(reclaim);
    }

    @Scheduled(every = "${millrace.maintenance.reap-every:10s}", concurrentExecution = ConcurrentExecution.SKIP)
    Uni<Void> reap() {
        return run(reap);
    }

    @Scheduled(every = "${millrace.maintenance.reconcile-every:30s}", concurrentExecution = ConcurrentExecution.SKIP)
    Uni<Void> reconcile() {
        return run(reconcile);
    }

    @Scheduled(every = "${millrace.maintenance.trim-every:10m}", concurrentExecution = ConcurrentExecution.SKIP)
    Uni<Void> trim() {
        return run(trim);
    }

    @Scheduled(every = "${millrace.maintenance.trim-every:10m}", concurrentExecution = ConcurrentExecution.SKIP)
    Uni<Void> dropOrphans() {
        return run(dropOrphans);
    }

    @Scheduled(every = "${millrace.retention.every:1m}", concurrentExecution = ConcurrentExecution.SKIP)
    Uni<Void> deleteEnded() {
        return run(deleteEnded);
    }

    @Scheduled(every = "${millrace.retention.every:1m}", concurrentExecution = ConcurrentExecution.SKIP)
    Uni<Void> deleteExpired() {
        return run(deleteExpired);
    }

    @Scheduled(every = "${millrace.retention.every:1m}", concurrentExecution = ConcurrentExecution.SKIP)
    Uni<Void> deleteOldAudit() {
        return run(deleteOldAudit);
    }

    @Scheduled(every = "${millrace.maintenance.census-every:15s}", concurrentExecution = ConcurrentExecution.SKIP)
    Uni<Void> takeCensus() {
        return run(census);
    }

    private Uni<Void> run(Chore chore) {
        return isStarted ? chore.runOnce().replaceWithVoid() : Uni.createFrom().voidItem();
    }

    /** However many signs there are, looks follow each other at their own pace, and two of them come after the last sign. */
    private void lookSoon() {
        looksToTake.set(LOOKS);
        if (isStarted && isLooking.compareAndSet(false, true)) {
            look();
        }
    }

    private void look() {
        looksToTake.decrementAndGet();
        run(load).subscribe().with(done -> {});
        vertx.setTimer(FROM_LOAD_TO_RECONCILE.toMillis(), fired -> run(reconcile).subscribe().with(done -> {}));
        vertx.setTimer(FROM_LOOK_TO_LOOK.toMillis(), fired -> {
            isLooking.set(false);
            if (looksToTake.get() > 0 && isStarted && isLooking.compareAndSet(false, true)) {
                look();
            }
        });
    }
}
