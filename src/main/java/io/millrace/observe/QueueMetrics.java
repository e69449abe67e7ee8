package io.millrace.observe;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.ToDoubleFunction;

import jakarta.annotation.Priority;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import jakarta.interceptor.Interceptor;

import org.eclipse.microprofile.config.inject.ConfigProperty;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Timer;
import io.millrace.maintenance.Census;
import io.millrace.maintenance.Census.Counts;
import io.millrace.maintenance.Promoter;
import io.millrace.maintenance.Reaper;
import io.millrace.maintenance.Reclaimer;
import io.millrace.maintenance.Reconciler;
import io.millrace.maintenance.Relay;
import io.millrace.worker.Worker;
import io.quarkus.runtime.StartupEvent;

/** What stands in the queues, as the last census found it, and what the chores did about it. */
@Singleton
class QueueMetrics {
    private final Meters meters;
    private final boolean works;
    private final ByLabel<String, Counter> reclaimed;
    private final ByLabel<String, Timer> lateness;
    private final Set<String> watched = ConcurrentHashMap.newKeySet();

    QueueMetrics(Meters meters, @ConfigProperty(name = "millrace.mode") String mode) {
        this.works = !"api".equalsIgnoreCase(mode);
        this.meters = meters;
        this.reclaimed = new ByLabel<>(JobMetrics.MOST_QUEUES, JobMetrics.OTHER,
                queue -> meters.counter("millrace.reclaimed", "queue", queue));
        this.lateness = new ByLabel<>(JobMetrics.MOST_QUEUES, JobMetrics.OTHER,
                queue -> meters.timer("millrace.promotion.lateness", "queue", queue));
    }

    void watch(@Observes @Priority(Interceptor.Priority.LIBRARY_BEFORE) StartupEvent event, Census census, Promoter promoter,
            Relay relay, Reaper reaper, Reclaimer reclaimer, Reconciler reconciler, Worker worker) {
        promoter.onPromoted((queue, count, late) -> {
            JobLog.promoted(queue, count);
            lateness.get(queue).record(late);
        });
        meters.count("millrace.dispatched", promoter, Promoter::promotedCount, "way", "promoted");
        if (!works) {
            return; // it runs no chores
        }
        census.onTaken(queues -> queues.forEach(queue -> watch(queue, census)));
        worker.queues().forEach(reclaimed::get);
        worker.queues().forEach(lateness::get);
        reclaimer.onReclaimed((queue, count) -> reclaimed.get(queue).increment(count));
        relay.onRelayed(JobLog::relayed);
        reaper.onReaped(JobLog::reaped);
        meters.count("millrace.dispatched", relay, Relay::relayedCount, "way", "relayed");
        meters.count("millrace.reconciled", reaper, Reaper::reapedCount, "reason", "lease_expired");
        meters.count("millrace.reconciled", reconciler, Reconciler::lostCount, "reason", "lost");
        meters.count("millrace.reconciled", reconciler, Reconciler::overdueCount, "reason", "overdue");
    }

    /** A queue that was seen once is shown until the end, also at 0; a census has no more than its bound. */
    private void watch(String queue, Census census) {
        if (watched.size() >= Census.MOST_QUEUES || !watched.add(queue)) {
            return;
        }
        gauge("millrace.queue.depth", census, queue, Counts::ready, "state", "ready");
        gauge("millrace.queue.depth", census, queue, Counts::running, "state", "running");
        gauge("millrace.queue.depth", census, queue, Counts::waiting, "state", "waiting");
        gauge("millrace.queue.oldest.ready.age.seconds", census, queue, Counts::readyAge);
        gauge("millrace.dead.letters", census, queue, Counts::dead);
        gauge("millrace.pending.entries", census, queue, counts -> counts.pending() < 0 ? Double.NaN : counts.pending());
        gauge("millrace.oldest.pending.idle.seconds", census, queue,
                counts -> counts.pending() < 0 ? Double.NaN : counts.pendingIdle());
    }

    /** Not a number where the last census is too old: no figure is better than a wrong one. */
    private void gauge(String name, Census census, String queue, ToDoubleFunction<Counts> figure, String... labels) {
        String[] all = labels.length == 0 ? new String[]{"queue", queue} : new String[]{"queue", queue, labels[0], labels[1]};
        meters.gauge(name, census, source -> source.isFresh()
                ? figure.applyAsDouble(source.of(queue))
                : Double.NaN, all);
    }
}
