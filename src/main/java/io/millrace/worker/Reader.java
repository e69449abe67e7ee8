package io.millrace.worker;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

import org.jboss.logging.Logger;

import io.millrace.stream.JobStream;
import io.millrace.stream.StreamEntry;
import io.millrace.stream.StreamReader;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.UniEmitter;

/**
 * Reads one queue, for as many jobs as can start now and no more: an entry that waited in memory would be missing elsewhere.
 * Never ends by itself: a pass that fails closes its connection, and the next one opens another.
 */
final class Reader {
    private static final Logger LOG = Logger.getLogger(Reader.class);
    private static final Duration FIRST_PAUSE = Duration.ofMillis(100);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);

    private final String queue;
    private final StreamReader stream;
    private final Slots slots;
    private final int batch;
    private final Executor loop;
    private final Consumer<StreamEntry> start;
    private final Consumer<StreamEntry> handBack;

    private volatile boolean isStopping;
    private Duration pause = FIRST_PAUSE;

    /**
     * @param batch most entries of one read
     * @param loop where the jobs of a claim are started
     * @param start gets entries for which a slot is taken; whoever runs them gives it back
     * @param handBack gets entries that there is no slot for after all
     */
    Reader(String queue, StreamReader stream, Slots slots, int batch, Executor loop, Consumer<StreamEntry> start,
            Consumer<StreamEntry> handBack) {
        this.queue = queue;
        this.loop = loop;
        this.stream = stream;
        this.slots = slots;
        this.batch = batch;
        this.start = start;
        this.handBack = handBack;
    }

    /** Reads until {@link #stop}. @return completes when the last read has ended and its entries are handed on */
    Uni<Void> run() {
        Uni<Void> stopped = Uni.createFrom().emitter(emitter -> Multi.createBy().repeating()
                .uni(() -> pollOnceAndRecover())
                .whilst(ignored -> !isStopping)
                .subscribe().with(ignored -> {}, failure -> {
                    LOG.errorf(failure, "the reader of queue %s ended", queue);
                    end(emitter);
                }, () -> end(emitter)));
        return stopped.memoize().indefinitely();
    }

    /** A read under way is cut short; if that fails it ends by itself, within the block time of a read. */
    void stop(JobStream commands) {
        isStopping = true;
        slots.wakeWaiters();
        stream.interrupt(commands).subscribe().with(done -> {});
    }

    private void end(UniEmitter<? super Void> stopped) {
        stream.disconnect();
        stopped.complete(null);
    }

    /** A repeated Uni stops at its first failure, so each pass has to absorb its own. */
    private Uni<Integer> pollOnceAndRecover() {
        return pollOnce()
                .invoke(() -> pause = FIRST_PAUSE)
                .onFailure().recoverWithUni(this::recover);
    }

    private Uni<Integer> recover(Throwable failure) {
        LOG.warnf("reading queue %s failed, trying again in %s: %s", queue, pause, failure.getMessage());
        stream.disconnect();
        Duration now = pause;
        pause = pause.multipliedBy(2).compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : pause.multipliedBy(2);
        return Uni.createFrom().item(0).onItem().delayIt().by(now);
    }

    /** One pass: waits for a free slot, takes what is there, else waits for the next entry. @return how many were started */
    Uni<Integer> pollOnce() {
        // Not at once: where one job of a batch gives its slot back, the others are about to, and one read can use them all.
        return slots.awaitFree().emitOn(loop).chain(() -> {
            // The slot may have come free while this process stops: then it stays free.
            int taken = isStopping ? 0 : slots.takeUpTo(batch);
            return taken == 0 ? Uni.createFrom().item(0) : readNew(taken).chain(this::awaitNewIfNone);
        });
    }

    private Uni<Integer> awaitNewIfNone(int started) {
        return started > 0 || isStopping ? Uni.createFrom().item(started) : stream.awaitNew().map(this::startOrHandBack);
    }

    private Uni<Integer> readNew(int taken) {
        return stream.readNew(taken)
                .onFailure().invoke(failure -> slots.giveBack(taken))
                .map(entries -> {
                    slots.giveBack(taken - entries.size());
                    entries.forEach(start);
                    return entries.size();
                });
    }

    /**
     * After a wait that held no slot, so that an idle queue keeps none from a busy one. If the slots are gone when an entry
     * comes, it goes back.
     */
    private int startOrHandBack(List<StreamEntry> entries) {
        int started = 0;
        for (StreamEntry entry : entries) {
            if (!isStopping && slots.takeUpTo(1) == 1) {
                start.accept(entry);
                started++;
            } else {
                handBack.accept(entry);
            }
        }
        return started;
    }
}
