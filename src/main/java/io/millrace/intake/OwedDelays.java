package io.millrace.intake;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.jboss.logging.Logger;

import io.millrace.stream.JobStream;
import io.millrace.stream.StreamConfig;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;

/**
 * Scheduled jobs that a delayed set did not take: tried again until it does, so that an API process that loses its way to Redis
 * delays what it scheduled by the length of the outage and no more. What is too much to remember, or forgotten because the
 * process ends, is found by the loader and the reconciler of the workers, within two minutes.
 */
final class OwedDelays {
    private static final Logger LOG = Logger.getLogger(OwedDelays.class);
    /** As many as one script takes in about a millisecond. */
    private static final int PER_CALL = 500;

    private final Vertx vertx;
    private final JobStream stream;
    private final Duration pause;
    private final Duration timeout;
    private final int most;

    // Guarded by this.
    private final Map<String, List<JobStream.Waiting>> owed = new LinkedHashMap<>();
    private int count;
    private boolean isTrying;

    OwedDelays(Vertx vertx, JobStream stream, StreamConfig config) {
        this.vertx = vertx;
        this.stream = stream;
        this.pause = config.appendPause();
        this.timeout = config.commandTimeout();
        this.most = config.owedDelays();
    }

    /** Remembers jobs, as far as there is room. Doing it twice is the same as once. */
    void add(String queue, List<JobStream.Waiting> jobs) {
        synchronized (this) {
            List<JobStream.Waiting> room = jobs.subList(0, Math.min(jobs.size(), most - count));
            owed.computeIfAbsent(queue, name -> new ArrayList<>()).addAll(room);
            count += room.size();
            if (isTrying) {
                return;
            }
            isTrying = true;
        }
        trySoon();
    }

    private void trySoon() {
        vertx.setTimer(pause.toMillis(), fired -> pay());
    }

    private void pay() {
        String queue;
        List<JobStream.Waiting> jobs;
        synchronized (this) {
            owed.values().removeIf(List::isEmpty);
            if (owed.isEmpty()) {
                isTrying = false;
                return;
            }
            queue = owed.keySet().iterator().next();
            jobs = List.copyOf(owed.get(queue).subList(0, Math.min(owed.get(queue).size(), PER_CALL)));
        }
        payOnce(queue, jobs).subscribe().with(paid -> {
            if (paid) {
                pay();
            } else {
                trySoon();
            }
        });
    }

    private Uni<Boolean> payOnce(String queue, List<JobStream.Waiting> jobs) {
        return stream.delay(queue, jobs, timeout).invoke(() -> forget(queue, jobs.size())).replaceWith(true)
                .onFailure().invoke(failure -> LOG.debugf("queue %s does not take %d delayed jobs yet: %s", queue, jobs.size(),
                        failure.getMessage()))
                .onFailure().invoke(() -> letOthersGoFirst(queue))
                .onFailure().recoverWithItem(false);
    }

    private synchronized void letOthersGoFirst(String queue) {
        owed.put(queue, owed.remove(queue));
    }

    private synchronized void forget(String queue, int paid) {
        owed.get(queue).subList(0, paid).clear();
        count -= paid;
    }

    /** @return how many jobs it remembers */
    synchronized int count() {
        return count;
    }
}
