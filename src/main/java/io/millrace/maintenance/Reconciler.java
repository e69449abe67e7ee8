package io.millrace.maintenance;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

import jakarta.inject.Singleton;

import org.jboss.logging.Logger;

import io.millrace.job.Priority;
import io.millrace.store.RepairStore;
import io.millrace.stream.DueTimes;
import io.millrace.stream.StreamRepair;
import io.millrace.stream.StreamRepair.Watermark;
import io.millrace.worker.Worker;
import io.smallrye.mutiny.Uni;

/**
 * Finds jobs that Redis should know and does not, without asking about each: entries are delivered in order, so a job that was
 * put on a stream before its oldest undelivered entry, and is still waiting, stands there no more. Costs one script and two
 * statements per stream, however large the backlog.
 *
 * <p>
 * Safe in any number of processes: rows that another one holds are skipped, and a job that is sent twice is refused by the claim.
 */
@Singleton
public class Reconciler {
    private static final Logger LOG = Logger.getLogger(Reconciler.class);
    private static final int PER_STEP = 1_000;
    /** The looks that follow a sign, and a pass of the timer that may come between them. */
    private static final int HURRIED_PASSES = 3;
    /** When there is a sign that Redis has forgotten things: only what is being sent at this moment may be younger. */
    static final Duration SHORT_MARGIN = Duration.ofSeconds(1);

    private final RepairStore store;
    private final StreamRepair streams;
    private final Worker worker;
    private final Duration margin;
    private final Duration stepTimeout;
    private final Map<String, String> incarnations = new ConcurrentHashMap<>();
    private final Map<String, Integer> hurriedPasses = new ConcurrentHashMap<>();
    private final LongAdder foundLost = new LongAdder();
    private final LongAdder foundOverdue = new LongAdder();
    private volatile Runnable onHurry = () -> {};

    Reconciler(RepairStore store, StreamRepair streams, Worker worker, DueTimes dueTimes, MaintenanceConfig config) {
        this.store = store;
        this.streams = streams;
        this.worker = worker;
        this.margin = config.reconcileMargin();
        this.stepTimeout = config.stepTimeout();
        worker.onReconnect(this::hurry);
        dueTimes.onLost(this::hurry);
    }

    /**
     * There is a sign that Redis has forgotten things about a queue: the next passes use the short margin for it, and begin soon.
     *
     * <p>
     * What such a pass takes for lost may only be slow: read by a worker and not claimed yet, or in the delayed set and not
     * promoted yet. Then its id is sent a second time, and the claim refuses it. Once a pass: from then on the job counts as
     * dispatched now, and it is left alone while its new entry is undelivered.
     */
    void hurry(String queue) {
        hurriedPasses.put(queue, HURRIED_PASSES);
        onHurry.run();
    }

    /** @param listener has passes done soon; must not block */
    void onHurry(Runnable listener) {
        onHurry = listener;
    }

    /** @return how many ready jobs this process found to stand on no stream any more */
    public long lostCount() {
        return foundLost.sum();
    }

    /** @return how many waiting jobs this process found overdue, and in no delayed set any more */
    public long overdueCount() {
        return foundOverdue.sum();
    }

    /** One pass over the queues of this worker. @return how many jobs it left to the relay */
    public Uni<Integer> reconcile() {
        return Passes.sumOver(worker.queues(), queue -> reconcileQueue(queue).onFailure().invoke(
                failure -> LOG.warnf("could not compare queue %s with its streams: %s", queue, failure.getMessage()))
                .onFailure().recoverWithItem(0));
    }

    private Uni<Integer> reconcileQueue(String queue) {
        return streams.watermark(queue).chain(watermark -> {
            Duration chosen = chooseMargin(queue, watermark);
            return Passes.sumOver(List.of(Priority.values()), priority -> reconcileStream(queue, priority, watermark, chosen));
        }).invoke(() -> hurriedPasses.computeIfPresent(queue, (name, left) -> left == 1 ? null : left - 1));
    }

    private Duration chooseMargin(String queue, Watermark watermark) {
        boolean hasForgotten = watermark.incarnation() == null
                || !watermark.incarnation().equals(incarnations.getOrDefault(queue, watermark.incarnation()));
        if (watermark.incarnation() != null) {
            incarnations.put(queue, watermark.incarnation());
        } else {
            incarnations.remove(queue);
        }
        return hurriedPasses.containsKey(queue) || hasForgotten ? SHORT_MARGIN : margin;
    }

    private Uni<Integer> reconcileStream(String queue, Priority priority, Watermark watermark, Duration chosen) {
        long oldest = watermark.oldestEpochMs(priority);
        Uni<Integer> pending = Passes.untilNothing(stepTimeout,
                () -> store.reconcilePending(queue, priority, oldest, chosen, PER_STEP));
        Uni<Integer> waiting = Passes.untilNothing(stepTimeout,
                () -> store.reconcileWaiting(queue, priority, oldest, chosen, PER_STEP));
        return pending.chain(lost -> waiting.map(overdue -> {
            foundLost.add(lost);
            foundOverdue.add(overdue);
            if (lost + overdue > 0) {
                LOG.infof(
                        "queue %s, priority %s: %d jobs were on no stream any more, and %d overdue in no delayed set; sending them",
                        queue, priority.label(), lost, overdue);
            }
            return lost + overdue;
        }));
    }
}
