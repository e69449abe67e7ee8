package io.millrace.batch;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;

import org.jboss.logging.Logger;

import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.UniEmitter;

/**
 * Batches that form by themselves. While one flush is under way, what arrives waits; when it ends, all that waited is the
 * next batch. So a lone item pays one round trip and no timer, and a flood pays one round trip per hundreds of items.
 *
 * <p>
 * Thread-safe. Flushes start on the executor, results are delivered on the thread that ends the flush. Items keep their
 * order within and across batches, as long as {@link BatchLimits#flights()} is 1.
 *
 * @param <T> what goes in
 * @param <R> what comes back for each item
 */
public final class Batcher<T, R> {

    /** Does one round trip for many items. */
    @FunctionalInterface
    public interface Flush<T, R> {
        /** @return one result per item, in the order of the items */
        Uni<List<R>> flush(List<T> items);
    }

    /** Hears what became of one item: one call, once. */
    public interface Answer<R> {
        void result(R result);

        /**
         * @param failure {@link BatchFullException} if too many wait, or its turn did not come in time,
         *        {@link BatchTimeoutException} if the flush did not answer, or the failure of the flush
         */
        void failure(Throwable failure);
    }

    private record Waiting<T, R>(T item, long bytes, Answer<? super R> answer, long sinceNanos) {}

    private static final Logger LOG = Logger.getLogger(Batcher.class);

    private final String name;
    private final BatchLimits limits;
    private final ToLongFunction<T> sizeOf;
    private final Predicate<Throwable> isFaultOfAnItem;
    private final Executor executor;
    private final Flush<T, R> flush;
    private final LongAdder flushes = new LongAdder();
    private final LongAdder flushedItems = new LongAdder();

    // Guarded by `this`; never held while foreign code runs.
    private final ArrayDeque<Waiting<T, R>> waiting = new ArrayDeque<>();
    /** Halves of batches that hold a bad item: they fly before what waits, and never together with it. */
    private final ArrayDeque<List<Waiting<T, R>>> halves = new ArrayDeque<>();
    private final List<UniEmitter<? super Void>> idleListeners = new ArrayList<>();
    private long waitingBytes;
    private int inFlight;
    /** Items taken in whose result has not been handed out. */
    private int unanswered;
    private boolean startRequested;
    private boolean starting;

    /**
     * @param name says in messages what is batched
     * @param sizeOf bytes of an item, for {@link BatchLimits#bytes()}
     * @param isFaultOfAnItem true for failures that say "the whole batch was refused, with no effect, because some item is bad".
     *        Such a batch is halved and tried again until the bad items stand alone, so that they do not fail their neighbours.
     *        Other failures fail the whole batch.
     * @param executor starts a batch when none is under way: an event loop
     */
    public Batcher(String name, BatchLimits limits, ToLongFunction<T> sizeOf, Predicate<Throwable> isFaultOfAnItem,
            Executor executor, Flush<T, R> flush) {
        this.name = name;
        this.limits = limits;
        this.sizeOf = sizeOf;
        this.isFaultOfAnItem = isFaultOfAnItem;
        this.executor = executor;
        this.flush = flush;
    }

    /** For items of about the same size, where a failure is never the fault of one of them. */
    public Batcher(String name, BatchLimits limits, Executor executor, Flush<T, R> flush) {
        this(name, limits, item -> 1, failure -> false, executor, flush);
    }

    /**
     * Hands an item in once the Uni is subscribed to. Cancelling the subscription does not take the item back.
     *
     * @return its result; fails as {@link Answer#failure} says
     */
    public Uni<R> submit(T item) {
        return Uni.createFrom().emitter(emitter -> submit(item, new Answer<R>() {
            @Override
            public void result(R result) {
                emitter.complete(result);
            }

            @Override
            public void failure(Throwable failure) {
                emitter.fail(failure);
            }
        }));
    }

    /** Hands an item in. For what is done once for every job: a pipeline for each would cost more than the rest of its way. */
    public void submit(T item, Answer<? super R> answer) {
        if (!add(new Waiting<>(item, sizeOf.applyAsLong(item), answer, System.nanoTime()))) {
            answer.failure(new BatchFullException(name, limits.waiting()));
        }
    }

    /** Completes when nothing waits, nothing is under way and all results have been handed out. */
    public Uni<Void> idle() {
        return Uni.createFrom().emitter(emitter -> {
            synchronized (this) {
                if (unanswered > 0) {
                    idleListeners.add(emitter);
                    return;
                }
            }
            emitter.complete(null);
        });
    }

    /** @return what is batched, as messages call it */
    public String name() {
        return name;
    }

    /** @return how many batches were started; one that is halved and tried again counts anew */
    public long flushCount() {
        return flushes.sum();
    }

    /** @return how many items those batches had */
    public long flushedItemCount() {
        return flushedItems.sum();
    }

    /** @return how many items wait for a place in a batch */
    public synchronized int waitingCount() {
        return waiting.size();
    }

    private boolean add(Waiting<T, R> entry) {
        boolean mustStart;
        synchronized (this) {
            boolean isTooMuch = waitingBytes + entry.bytes() > limits.waitingBytes() && !waiting.isEmpty();
            if (waiting.size() >= limits.waiting() || isTooMuch) {
                return false;
            }
            waiting.add(entry);
            waitingBytes += entry.bytes();
            unanswered++;
            mustStart = inFlight < limits.flights() && !startRequested;
            startRequested |= mustStart;
        }
        if (mustStart) {
            executor.execute(this::startFlights);
        }
        return true;
    }

    /** Starts batches until nothing waits or no flight is free. A loop, not a recursion: a flush may end before it returns. */
    private void startFlights() {
        synchronized (this) {
            if (starting) {
                return; // that loop looks once more before it ends, so it will see what has changed
            }
            starting = true;
        }
        for (List<Waiting<T, R>> batch = takeBatch(); batch != null; batch = takeBatch()) {
            fly(batch);
        }
    }

    /** @return null if there is nothing to start; otherwise the caller owns a flight */
    private synchronized List<Waiting<T, R>> takeBatch() {
        if (inFlight >= limits.flights() || waiting.isEmpty() && halves.isEmpty()) {
            starting = false;
            startRequested = false;
            return null;
        }
        inFlight++;
        return halves.isEmpty() ? takeWaiting() : halves.pop();
    }

    private List<Waiting<T, R>> takeWaiting() {
        List<Waiting<T, R>> batch = new ArrayList<>(Math.min(waiting.size(), limits.items()));
        long bytes = 0;
        while (!waiting.isEmpty() && batch.size() < limits.items()) {
            bytes += waiting.peek().bytes();
            if (bytes > limits.bytes() && !batch.isEmpty()) {
                break;
            }
            waitingBytes -= waiting.peek().bytes();
            batch.add(waiting.poll());
        }
        return batch;
    }

    /** Lands first, so that the store has the next batch to work on while the results of this one are handed out. */
    private void fly(List<Waiting<T, R>> taken) {
        List<Waiting<T, R>> batch = inTime(taken);
        if (batch.isEmpty()) {
            land();
            return;
        }
        flushOnce(batch).subscribe().with(results -> {
            land();
            handOut(batch, results);
            answered(batch.size());
        }, failure -> {
            if (batch.size() > 1 && isFaultOfAnItem.test(failure)) {
                halve(batch);
                land();
            } else {
                land();
                fail(batch, failure);
                answered(batch.size());
            }
        });
    }

    /** While flushes time out one after the other, what waits behind them must not wait for them all: it is not even tried. */
    private List<Waiting<T, R>> inTime(List<Waiting<T, R>> batch) {
        long nowNanos = System.nanoTime();
        int late = 0; // the first have waited longest
        while (late < batch.size() && nowNanos - batch.get(late).sinceNanos() > limits.timeout().toNanos()) {
            late++;
        }
        if (late > 0) {
            BatchFullException tooLate = new BatchFullException(name, limits.timeout());
            fail(batch.subList(0, late), tooLate);
            answered(late);
        }
        return batch.subList(late, batch.size());
    }

    private synchronized void halve(List<Waiting<T, R>> batch) {
        int middle = batch.size() / 2;
        halves.push(batch.subList(middle, batch.size()));
        halves.push(batch.subList(0, middle));
    }

    private Uni<List<R>> flushOnce(List<Waiting<T, R>> batch) {
        List<T> items = new ArrayList<>(batch.size());
        batch.forEach(entry -> items.add(entry.item()));
        flushes.increment();
        flushedItems.add(items.size());
        return Uni.createFrom().deferred(() -> flush.flush(items))
                .ifNoItem().after(limits.timeout()).failWith(() -> new BatchTimeoutException(name, limits.timeout()));
    }

    private void handOut(List<Waiting<T, R>> batch, List<R> results) {
        int count = results == null ? 0 : results.size();
        if (count != batch.size()) {
            var mismatch = new IllegalStateException(name + ": " + count + " results for " + batch.size() + " items");
            fail(batch, mismatch);
            return;
        }
        for (int i = 0; i < count; i++) {
            Answer<? super R> answer = batch.get(i).answer();
            R result = results.get(i);
            hear(() -> answer.result(result));
        }
    }

    private void fail(List<Waiting<T, R>> batch, Throwable failure) {
        batch.forEach(entry -> hear(() -> entry.answer().failure(failure)));
    }

    /** A mistake of one listener is not to cost the others their answers. */
    private void hear(Runnable answer) {
        try {
            answer.run();
        } catch (RuntimeException | Error mistake) {
            LOG.errorf(mistake, "%s: whoever waited for a result could not take it", name);
        }
    }

    private void land() {
        synchronized (this) {
            inFlight--;
        }
        startFlights();
    }

    private void answered(int count) {
        List<UniEmitter<? super Void>> toTell;
        synchronized (this) {
            unanswered -= count;
            if (unanswered > 0 || idleListeners.isEmpty()) {
                return;
            }
            toTell = List.copyOf(idleListeners);
            idleListeners.clear();
        }
        toTell.forEach(emitter -> emitter.complete(null));
    }
}
