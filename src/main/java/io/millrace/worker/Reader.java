package io.millrace.worker;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Predicate;

import org.jboss.logging.Logger;

import io.millrace.job.Backoff;
import io.millrace.job.Priority;
import io.millrace.stream.JobStream;
import io.millrace.stream.NotAStreamException;
import io.millrace.stream.StreamEntry;
import io.millrace.stream.StreamReader;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.Cancellable;
import io.smallrye.mutiny.subscription.UniEmitter;

/**
 * Reads one queue, for as many jobs as can start now and no more: an entry that waited in memory would be missing elsewhere.
 * Never ends by itself: a pass that fails closes its connection, and the next one opens another. Then it first reads again what
 * was delivered to this process before, because replies may have been lost on the way.
 */
final class Reader {
    private static final Logger LOG = Logger.getLogger(Reader.class);
    /** With chance in it, so that a fleet does not come back in step when Redis does. */
    private static final Backoff PAUSES = new Backoff(Backoff.Curve.EXPONENTIAL, Duration.ofMillis(100), Duration.ofSeconds(5),
            Backoff.Jitter.EQUAL);
    private static final int ALL_PRIORITIES = Priority.values().length;

    /**
     * Where what was read goes.
     *
     * @param start gets entries for which a slot is taken; whoever runs them gives it back
     * @param handBack gets entries that there is no slot for after all
     * @param isRunning tells whether a job runs here for an entry
     * @param reconnected is called when Redis answers again after a failure: it may have forgotten things
     */
    record Outlet(Consumer<StreamEntry> start, Consumer<StreamEntry> handBack, Predicate<StreamEntry> isRunning,
            Runnable reconnected) {}

    private final String queue;
    private final StreamReader stream;
    private final Slots slots;
    private final int batch;
    private final Executor loop;
    private final Outlet outlet;

    private volatile boolean isStopping;
    private volatile boolean hasCompletedPass;
    private volatile Long readingSinceNanos; // null while it waits for a slot, or for the end of a pause
    private volatile Cancellable passes;

    // Of one pass after the other.
    private int failures;
    private boolean isBack;
    private int pendingPriority;
    private String pendingAfter;

    // Guarded by this: the watchdog may give the reader up at any time.
    private boolean isGivenUp;
    private int held;

    /**
     * @param batch most entries of one read
     * @param loop where the jobs of a claim are started
     * @param isReplacement there was a reader of this queue in this process before
     */
    Reader(String queue, StreamReader stream, Slots slots, int batch, Executor loop, Outlet outlet, boolean isReplacement) {
        this.queue = queue;
        this.loop = loop;
        this.stream = stream;
        this.slots = slots;
        this.batch = batch;
        this.outlet = outlet;
        this.isBack = isReplacement;
        this.pendingPriority = isReplacement ? 0 : ALL_PRIORITIES;
    }

    /** Reads until {@link #stop}. @return completes when the last read has ended and its entries are handed on */
    Uni<Void> run() {
        Uni<Void> stopped = Uni.createFrom().emitter(emitter -> passes = Multi.createBy().repeating()
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

    /**
     * For a reader that hangs: it delivers nothing any more, even if its read is answered after all, and holds no slots. What
     * it has read stays pending for this process, and the next reader finds it there.
     */
    void giveUp() {
        int toGiveBack;
        synchronized (this) {
            isStopping = true;
            isGivenUp = true;
            toGiveBack = held;
            held = 0;
        }
        slots.giveBack(toGiveBack);
        stream.close();
        if (passes != null) {
            passes.cancel();
        }
    }

    /** @return true if it waits for neither a slot nor the end of a pause, and its pass has taken longer than that */
    boolean isReadingFor(Duration limit) {
        Long since = readingSinceNanos;
        return since != null && System.nanoTime() - since > limit.toNanos();
    }

    /** @return true if a pass has ended, with entries, without, or with a failure */
    boolean hasCompletedPass() {
        return hasCompletedPass;
    }

    private void end(UniEmitter<? super Void> stopped) {
        stream.close();
        stopped.complete(null);
    }

    /** A repeated Uni stops at its first failure, so each pass has to absorb its own. */
    private Uni<Integer> pollOnceAndRecover() {
        return pollOnce()
                .onTermination().invoke(() -> readingSinceNanos = null)
                .onItemOrFailure().invoke((started, failure) -> hasCompletedPass = true)
                .invoke(() -> failures = 0)
                .onFailure().recoverWithUni(this::recover);
    }

    private Uni<Integer> recover(Throwable failure) {
        Duration pause = PAUSES.delayAfter(++failures, Math::random);
        if (failure instanceof NotAStreamException) {
            LOG.errorf("queue %s stands still, trying again in %s: %s", queue, pause, failure.getMessage());
        } else {
            LOG.warnf("reading queue %s failed, trying again in %s: %s", queue, pause, failure.getMessage());
        }
        stream.disconnect();
        isBack = true;
        pendingPriority = 0;
        pendingAfter = null;
        return Uni.createFrom().item(0).onItem().delayIt().by(pause);
    }

    /** One pass: waits for a free slot, takes what is there, else waits for the next entry. @return how many were started */
    Uni<Integer> pollOnce() {
        return slots.awaitFree().invoke(() -> readingSinceNanos = System.nanoTime())
                // Not at once: where one job of a batch gives its slot back, the others are about to, and one read can use them all.
                .emitOn(loop).chain(() -> {
                    int taken = take();
                    if (taken == 0) {
                        return Uni.createFrom().item(0);
                    }
                    return pendingPriority < ALL_PRIORITIES
                            ? readPending(taken)
                            : readNew(taken).chain(this::awaitNewIfNone);
                });
    }

    /** The slot may have come free while this process stops: then it stays free. */
    private synchronized int take() {
        held = isStopping ? 0 : slots.takeUpTo(batch);
        return held;
    }

    /** @return false if this reader was given up, and with it its slots and its entries */
    private synchronized boolean letGo() {
        held = 0;
        return !isGivenUp;
    }

    private Uni<Integer> awaitNewIfNone(int started) {
        return started > 0 || isStopping ? Uni.createFrom().item(started) : stream.awaitNew().map(this::startOrHandBack);
    }

    private Uni<Integer> readNew(int taken) {
        return stream.readNew(taken).onFailure().invoke(failure -> start(taken, List.of()))
                .map(entries -> start(taken, entries));
    }

    /**
     * Page by page, and without those whose job runs here. One whose claim is under way is claimed a second time: that is
     * refused, and what still runs is left pending.
     */
    private Uni<Integer> readPending(int taken) {
        return stream.readPending(Priority.ofCode(pendingPriority), pendingAfter, taken)
                .onFailure().invoke(failure -> start(taken, List.of()))
                .map(page -> {
                    pendingAfter = page.last();
                    pendingPriority += page.last() == null ? 1 : 0;
                    if (isBack || page.deletedCount() > 0) {
                        isBack = false;
                        outlet.reconnected().run();
                    }
                    return start(taken, page.entries().stream().filter(outlet.isRunning().negate()).toList());
                });
    }

    private int start(int taken, List<StreamEntry> entries) {
        if (!letGo()) {
            return 0;
        }
        slots.giveBack(taken - entries.size());
        entries.forEach(outlet.start());
        return entries.size();
    }

    /**
     * After a wait that held no slot, so that an idle queue keeps none from a busy one. If the slots are gone when an entry
     * comes, it goes back.
     */
    private int startOrHandBack(List<StreamEntry> entries) {
        if (!letGo()) {
            return 0;
        }
        int started = 0;
        for (StreamEntry entry : entries) {
            if (!isStopping && slots.takeUpTo(1) == 1) {
                outlet.start().accept(entry);
                started++;
            } else {
                outlet.handBack().accept(entry);
            }
        }
        return started;
    }
}
