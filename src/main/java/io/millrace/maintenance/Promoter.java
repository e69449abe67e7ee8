package io.millrace.maintenance;

import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;

import jakarta.inject.Singleton;

import org.jboss.logging.Logger;

import io.millrace.stream.DueTimes;
import io.millrace.stream.JobStream;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;

/**
 * Moves due jobs from the delayed sets to the streams, when they are due: every answer from a delayed set says when its next
 * job is, and a timer is set to that. The set a process fills itself it need not ask about; others it looks into once a second.
 *
 * <p>
 * Safe in any number of processes: a script moves each job once, and one that moves early or twice by some accident is refused
 * by the claim.
 */
@Singleton
public class Promoter {
    private static final Logger LOG = Logger.getLogger(Promoter.class);
    /** Jobs moved by one script call: Redis serves nobody else meanwhile. */
    private static final int PER_CALL = 200;

    private record Alarm(long timer, long atNanos) {}

    private final Vertx vertx;
    private final JobStream stream;
    private final long pollMs;
    private final Map<String, Alarm> alarms = new ConcurrentHashMap<>();
    private volatile Set<String> polled = Set.of();
    private final LongAdder promoted = new LongAdder();
    private volatile Listener onPromoted = (queue, count, late) -> {};
    private volatile boolean isStarted;

    Promoter(Vertx vertx, JobStream stream, DueTimes dueTimes, MaintenanceConfig config) {
        this.vertx = vertx;
        this.stream = stream;
        this.pollMs = config.promoteEvery().toMillis();
        dueTimes.onAnnounced(this::arm);
    }

    /** @param queues to look into though this process put nothing there */
    public void start(Set<String> queues) {
        polled = Set.copyOf(queues);
        isStarted = true;
        polled.forEach(queue -> arm(queue, Duration.ZERO));
    }

    /** Is told of each step that moved jobs: their queue, how many they were, and how late the first of them was. Must not block. */
    @FunctionalInterface
    public interface Listener {
        void promoted(String queue, int count, Duration late);
    }

    public void onPromoted(Listener listener) {
        onPromoted = listener;
    }

    /** @return how many jobs this process has moved to streams */
    public long promotedCount() {
        return promoted.sum();
    }

    public void stop() {
        isStarted = false;
        alarms.values().forEach(alarm -> vertx.cancelTimer(alarm.timer()));
        alarms.clear();
    }

    /** Makes sure that the queue is looked into after {@code wait}, or before. */
    private void arm(String queue, Duration wait) {
        if (!isStarted) {
            return;
        }
        // A millisecond more: the clock of Redis may be a fraction behind the due time when the timer fires.
        long waitMs = wait.toMillis() + 1;
        long atNanos = System.nanoTime() + waitMs * 1_000_000;
        alarms.compute(queue, (name, alarm) -> {
            if (alarm != null && alarm.atNanos() - atNanos <= 0) {
                return alarm;
            }
            if (alarm != null) {
                vertx.cancelTimer(alarm.timer());
            }
            return new Alarm(vertx.setTimer(waitMs, fired -> promote(queue)), atNanos);
        });
    }

    private void promote(String queue) {
        alarms.remove(queue);
        promoteDue(queue).subscribe().with(next -> {
            if (next != null && (next.toMillis() <= pollMs || !polled.contains(queue))) {
                arm(queue, next);
            } else if (polled.contains(queue)) {
                arm(queue, Duration.ofMillis(pollMs));
            }
        }, failure -> {
            LOG.debugf("could not promote queue %s, trying again in %d ms: %s", queue, pollMs, failure.getMessage());
            arm(queue, Duration.ofMillis(pollMs));
        });
    }

    /** One pass over a queue: moves all that is due. @return until the next job is due; null if none waits */
    Uni<Duration> promoteDue(String queue) {
        AtomicReference<Duration> next = new AtomicReference<>();
        return Passes.untilNothing(() -> stream.promoteDue(queue, PER_CALL).map(promotion -> {
            next.set(promotion.nextDue());
            if (promotion.moved() > 0) {
                promoted.add(promotion.moved());
                onPromoted.promoted(queue, promotion.moved(), promotion.late());
            }
            return promotion.moved() < PER_CALL ? 0 : promotion.moved();
        })).map(moved -> next.get());
    }
}
