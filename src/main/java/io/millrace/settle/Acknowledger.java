package io.millrace.settle;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import jakarta.inject.Singleton;

import org.jboss.logging.Logger;

import io.millrace.batch.BatchLimits;
import io.millrace.batch.Batcher;
import io.millrace.batch.EngineLoop;
import io.millrace.job.FailureReason;
import io.millrace.job.Priority;
import io.millrace.job.Settlement;
import io.millrace.stream.JobStream;
import io.millrace.stream.StreamConfig;
import io.millrace.stream.StreamEntry;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;

/**
 * Acknowledges entries, after what they stand for is recorded. Nobody waits for it: an acknowledgement that is lost costs one
 * redelivery, which finds the job ended.
 */
@Singleton
public class Acknowledger {
    private static final Logger LOG = Logger.getLogger(Acknowledger.class);
    /** Scripts block Redis while they run: this many entries take about a millisecond. */
    private static final int ENTRIES_PER_SCRIPT = 500;
    private static final int WAITING = 1_000_000;
    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    private enum Kind {
        DONE, RETRIED, FAILED, HANDED_BACK
    }

    private record Ack(StreamEntry entry, Kind kind, long dueEpochMs, String reason) {}

    private record Target(String queue, Priority priority, Kind kind) {}

    private final JobStream stream;
    private final WorkerName worker;
    private final long lookAheadMs;
    private final Batcher<Ack, Void> acks;

    Acknowledger(Vertx vertx, JobStream stream, StreamConfig config, WorkerName worker) {
        this.stream = stream;
        this.worker = worker;
        this.lookAheadMs = config.lookAhead().toMillis();
        this.acks = new Batcher<>("acknowledge", new BatchLimits(ENTRIES_PER_SCRIPT, Long.MAX_VALUE, WAITING, 1, TIMEOUT),
                new EngineLoop(vertx), this::flush);
    }

    /** For an attempt that is recorded. */
    void acknowledge(Attempt attempt, long dueEpochMs) {
        Settlement settlement = attempt.settlement();
        for (StreamEntry entry : attempt.entries()) {
            if (settlement instanceof Settlement.RetryAfter || settlement instanceof Settlement.Postpone) {
                submit(new Ack(entry, Kind.RETRIED, dueEpochMs, null));
            } else if (settlement instanceof Settlement.DeadLetter deadLetter) {
                submit(new Ack(entry, Kind.FAILED, 0, reason(deadLetter)));
            } else if (settlement instanceof Settlement.Release) {
                handBack(entry);
            } else {
                drop(entry);
            }
        }
    }

    /** For an entry whose job has ended, or that stands for no job. */
    public void drop(StreamEntry entry) {
        submit(new Ack(entry, Kind.DONE, 0, null));
    }

    /** For an entry whose job is not due yet. */
    public void park(StreamEntry entry, long dueEpochMs) {
        submit(new Ack(entry, Kind.RETRIED, dueEpochMs, null));
    }

    /** For an entry that was read but will not be run here: the next free worker gets it. */
    public void handBack(StreamEntry entry) {
        submit(new Ack(entry, Kind.HANDED_BACK, 0, null));
    }

    Batcher<?, ?> batcher() {
        return acks;
    }

    Uni<Void> idle() {
        return acks.idle();
    }

    private static String reason(Settlement.DeadLetter deadLetter) {
        FailureReason reason = deadLetter.failure().reason();
        return reason == null ? "" : reason.name();
    }

    private void submit(Ack ack) {
        acks.submit(ack, new Batcher.Answer<>() {
            @Override
            public void result(Void done) {
                // nobody waits for it
            }

            @Override
            public void failure(Throwable failure) {
                LOG.debugf("entry %s of queue %s is not acknowledged, the sweeper will be: %s", ack.entry().id(),
                        ack.entry().queue(), failure.getMessage());
            }
        });
    }

    private Uni<List<Void>> flush(List<Ack> batch) {
        Map<Target, List<Ack>> byTarget = new HashMap<>();
        for (Ack ack : batch) {
            Target target = new Target(ack.entry().queue(), ack.entry().priority(), ack.kind());
            byTarget.computeIfAbsent(target, t -> new ArrayList<>()).add(ack);
        }
        List<Uni<Void>> calls = new ArrayList<>(byTarget.size());
        byTarget.forEach((target, entries) -> calls.add(send(target, entries).onFailure().invoke(
                failure -> LOG.warnf("could not acknowledge %d entries of queue %s, they will be delivered again: %s",
                        entries.size(), target.queue(), failure.getMessage()))
                .onFailure().recoverWithNull()));
        List<Void> results = Collections.nCopies(batch.size(), null);
        return Uni.join().all(calls).andCollectFailures().replaceWith(results);
    }

    private Uni<Void> send(Target target, List<Ack> acks) {
        return switch (target.kind()) {
            case DONE -> stream.settleDone(target.queue(), target.priority(), acks.stream().map(a -> a.entry().id()).toList());
            case RETRIED -> stream.settleRetry(target.queue(), target.priority(), acks.stream().map(this::retried).toList());
            case FAILED -> stream.settleFailed(target.queue(), target.priority(), acks.stream()
                    .map(a -> new JobStream.Failed(a.entry().id(), a.entry().jobId(), a.reason())).toList());
            case HANDED_BACK -> stream.handBack(target.queue(), target.priority(), worker.value(),
                    acks.stream().map(Ack::entry).toList()).replaceWithVoid();
        };
    }

    /** A job that is due too late for the delayed set waits in PostgreSQL; the loader brings it. */
    private JobStream.Retried retried(Ack ack) {
        boolean isSoon = ack.dueEpochMs() - System.currentTimeMillis() <= lookAheadMs;
        return new JobStream.Retried(ack.entry().id(),
                new JobStream.Waiting(ack.entry().jobId(), ack.entry().priority(), isSoon ? ack.dueEpochMs() : 0));
    }
}
