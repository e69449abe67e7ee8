package io.millrace.intake;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Executor;

import org.jboss.logging.Logger;

import io.millrace.batch.BatchLimits;
import io.millrace.batch.Batcher;
import io.millrace.job.Priority;
import io.millrace.store.JobStore;
import io.millrace.stream.DispatchWindow;
import io.millrace.stream.JobStream;
import io.millrace.stream.StreamConfig;
import io.smallrye.mutiny.Uni;

/**
 * Puts the ids of committed jobs into Redis. It never fails: a job that does not get there is in PostgreSQL, and the relay or
 * the loader takes it from there. While Redis does not answer, ids are not even tried for a moment, so that accepting jobs does
 * not wait for it.
 */
final class Dispatcher {
    private static final Logger LOG = Logger.getLogger(Dispatcher.class);

    private record Hint(String queue, UUID jobId, Priority priority, long dueEpochMs) {}

    private final JobStore store;
    private final JobStream stream;
    private final DispatchWindow window;
    private final StreamConfig config;
    private final Batcher<Hint, Void> appends;
    private final Batcher<Hint, Void> delays;
    private volatile long pausedUntilNanos = System.nanoTime();

    Dispatcher(JobStore store, JobStream stream, DispatchWindow window, StreamConfig config, IntakeConfig intake,
            Executor loop) {
        this.store = store;
        this.stream = stream;
        this.window = window;
        this.config = config;
        // The timeout of the batch is a backstop: each flush bounds itself by the append timeout.
        BatchLimits limits = new BatchLimits(intake.batchItems(), Long.MAX_VALUE, intake.waiting(), 1, intake.timeout());
        appends = new Batcher<>("append", limits, loop, hints -> flush(hints, this::append));
        delays = new Batcher<>("delay", limits, loop, hints -> flush(hints, this::delay));
    }

    /** @return true if a job accepted now should go straight to the stream; false leaves it to the relay */
    boolean isOpenFor(String queue, Priority priority) {
        if (System.nanoTime() - pausedUntilNanos < 0) {
            return false;
        }
        if (window.room(queue, priority) > 0) {
            return true;
        }
        if (window.isStale(queue)) {
            stream.measure(queue).subscribe().with(ignored -> {},
                    failure -> LOG.debugf("cannot measure queue %s: %s", queue, failure.getMessage()));
        }
        return false;
    }

    /** Completes when the id is on the stream, or known not to be. */
    Uni<Void> append(String queue, UUID jobId, Priority priority) {
        return appends.submit(new Hint(queue, jobId, priority, 0)).onFailure().recoverWithNull();
    }

    /** Completes when the job is in the delayed set, or known not to be. */
    Uni<Void> delay(String queue, UUID jobId, Priority priority, long dueEpochMs) {
        return delays.submit(new Hint(queue, jobId, priority, dueEpochMs)).onFailure().recoverWithNull();
    }

    private Uni<List<Void>> flush(List<Hint> hints, PerQueue perQueue) {
        Map<String, List<Hint>> byQueue = new HashMap<>();
        hints.forEach(hint -> byQueue.computeIfAbsent(hint.queue(), queue -> new ArrayList<>()).add(hint));
        List<Uni<Void>> calls = new ArrayList<>(byQueue.size());
        byQueue.forEach((queue, ofQueue) -> calls.add(perQueue.send(queue, ofQueue)));
        List<Void> results = Collections.nCopies(hints.size(), null);
        return Uni.join().all(calls).andCollectFailures().replaceWith(results);
    }

    @FunctionalInterface
    private interface PerQueue {
        Uni<Void> send(String queue, List<Hint> hints);
    }

    private Uni<Void> append(String queue, List<Hint> hints) {
        List<JobStream.Ready> ready = new ArrayList<>(hints.size());
        hints.forEach(hint -> ready.add(new JobStream.Ready(hint.jobId(), hint.priority())));
        return stream.append(queue, ready).ifNoItem().after(config.appendTimeout()).fail()
                .onFailure().invoke(failure -> pause("append " + hints.size() + " jobs to", queue, failure))
                .onFailure().recoverWithUni(() -> leaveToTheRelay(hints));
    }

    private Uni<Void> delay(String queue, List<Hint> hints) {
        List<JobStream.Waiting> waiting = new ArrayList<>(hints.size());
        hints.forEach(hint -> waiting.add(new JobStream.Waiting(hint.jobId(), hint.priority(), hint.dueEpochMs())));
        return stream.delay(queue, waiting).ifNoItem().after(config.appendTimeout()).fail()
                .onFailure().invoke(failure -> pause("delay " + hints.size() + " jobs of", queue, failure))
                .onFailure().recoverWithNull();
    }

    private void pause(String what, String queue, Throwable failure) {
        pausedUntilNanos = System.nanoTime() + config.appendPause().toNanos();
        LOG.warnf("could not %s queue %s, PostgreSQL keeps them: %s", what, queue, failure.getMessage());
    }

    /** Best effort: if this fails too, the reconciler finds the jobs, only later. */
    private Uni<Void> leaveToTheRelay(List<Hint> hints) {
        return store.undispatch(hints.stream().map(Hint::jobId).toList()).replaceWithVoid()
                .onFailure()
                .invoke(failure -> LOG.warnf("could not leave %d jobs to the relay: %s", hints.size(), failure.getMessage()))
                .onFailure().recoverWithNull();
    }
}
