package io.millrace.intake;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.LongAdder;

import org.jboss.logging.Logger;

import io.millrace.job.Priority;
import io.millrace.store.JobStore;
import io.millrace.stream.DispatchWindow;
import io.millrace.stream.JobStream;
import io.millrace.stream.StreamConfig;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;

/**
 * Puts the ids of committed jobs into Redis. It never fails: a job that does not get there is in PostgreSQL, and the relay or
 * the loader takes it from there. While Redis does not answer, ids are not even tried for a moment, so that accepting jobs does
 * not wait for it.
 */
final class Dispatcher {
    private static final Logger LOG = Logger.getLogger(Dispatcher.class);

    /** The ids of one INSERT that belong into Redis, by queue. */
    static final class Hints {
        private final Map<String, List<JobStream.Ready>> ready = new HashMap<>(2);
        private final Map<String, List<JobStream.Waiting>> waiting = new HashMap<>(0);

        void addReady(String queue, UUID jobId, Priority priority) {
            ready.computeIfAbsent(queue, name -> new ArrayList<>()).add(new JobStream.Ready(jobId, priority));
        }

        void addWaiting(String queue, UUID jobId, Priority priority, long dueEpochMs) {
            waiting.computeIfAbsent(queue, name -> new ArrayList<>()).add(new JobStream.Waiting(jobId, priority, dueEpochMs));
        }
    }

    private final JobStore store;
    private final JobStream stream;
    private final DispatchWindow window;
    private final StreamConfig config;
    private final OwedDelays owed;
    private final LongAdder dispatched = new LongAdder();
    private volatile long pausedUntilNanos = System.nanoTime();

    Dispatcher(Vertx vertx, JobStore store, JobStream stream, DispatchWindow window, StreamConfig config) {
        this.owed = new OwedDelays(vertx, stream, config);
        this.store = store;
        this.stream = stream;
        this.window = window;
        this.config = config;
    }

    /** @return true if a job accepted now should go straight to the stream; false leaves it to the relay */
    boolean isOpenFor(String queue, Priority priority) {
        if (isPaused()) {
            return false;
        }
        if (window.room(queue, priority) > 0) {
            return true;
        }
        if (window.isToBeMeasured(queue)) {
            stream.measure(queue).subscribe().with(ignored -> {},
                    failure -> LOG.debugf("cannot measure queue %s: %s", queue, failure.getMessage()));
        }
        return false;
    }

    /** @return how many jobs went to a stream as soon as they were accepted */
    long dispatchedCount() {
        return dispatched.sum();
    }

    private boolean isPaused() {
        return System.nanoTime() - pausedUntilNanos < 0;
    }

    /** Completes when the ids are in Redis, or known not to be. */
    Uni<Void> dispatch(Hints hints) {
        List<Uni<Void>> calls = new ArrayList<>(hints.ready.size() + hints.waiting.size());
        hints.ready.forEach((queue, jobs) -> calls.add(append(queue, jobs)));
        hints.waiting.forEach((queue, jobs) -> calls.add(delay(queue, jobs)));
        return switch (calls.size()) {
            case 0 -> Uni.createFrom().voidItem();
            case 1 -> calls.get(0);
            default -> Uni.join().all(calls).andCollectFailures().replaceWithVoid();
        };
    }

    private Uni<Void> append(String queue, List<JobStream.Ready> jobs) {
        return stream.append(queue, jobs, config.appendTimeout())
                .invoke(() -> dispatched.add(jobs.size()))
                .onFailure().invoke(failure -> pause("append " + jobs.size() + " jobs to", queue, failure))
                .onFailure().recoverWithUni(() -> leaveToTheRelay(jobs));
    }

    private Uni<Void> delay(String queue, List<JobStream.Waiting> jobs) {
        if (isPaused()) {
            owed.add(queue, jobs);
            return Uni.createFrom().voidItem();
        }
        return stream.delay(queue, jobs, config.appendTimeout())
                .onFailure().invoke(failure -> {
                    pause("delay " + jobs.size() + " jobs of", queue, failure);
                    owed.add(queue, jobs);
                })
                .onFailure().recoverWithNull();
    }

    private void pause(String what, String queue, Throwable failure) {
        pausedUntilNanos = System.nanoTime() + config.appendPause().toNanos();
        LOG.warnf("could not %s queue %s, PostgreSQL keeps them: %s", what, queue, failure.getMessage());
    }

    /** Best effort: if this fails too, the reconciler finds the jobs, only later. */
    private Uni<Void> leaveToTheRelay(List<JobStream.Ready> jobs) {
        return store.undispatch(jobs.stream().map(JobStream.Ready::jobId).toList()).replaceWithVoid()
                .onFailure()
                .invoke(failure -> LOG.warnf("could not leave %d jobs to the relay: %s", jobs.size(), failure.getMessage()))
                .onFailure().recoverWithNull();
    }
}
