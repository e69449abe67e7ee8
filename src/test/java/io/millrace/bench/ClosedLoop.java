package io.millrace.bench;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

import io.millrace.bench.Caller.Call;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;

/**
 * Callers that send their next request when the last one is answered, each on a connection of its own. So the server is never
 * offered more than it takes; what is measured is its rate, not how it fails.
 */
record ClosedLoop(Caller caller) {

    /**
     * @param ids takes the ids of the jobs in the answers
     * @return how many requests were answered within {@code time}, {@code most} at the most; the first wrong answer ends it
     */
    long run(Call call, int callers, Duration time, long most, IdHash ids) throws Exception {
        Run run = new Run(caller.prepare(call), callers, System.nanoTime() + time.toNanos(), most, ids);
        caller.onEventLoop(() -> {
            for (int i = 0; i < callers; i++) {
                run.next();
            }
        });
        return run.done.get(time.plus(Caller.ANSWER_LIMIT).toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Lives on the event loop alone. */
    private static final class Run {
        private final Supplier<Future<Buffer>> call;
        private final long endNanos;
        private final long most;
        private final IdHash ids;
        private final CompletableFuture<Long> done = new CompletableFuture<>();
        private int callers;
        private long sent;
        private long answered;

        Run(Supplier<Future<Buffer>> call, int callers, long endNanos, long most, IdHash ids) {
            this.call = call;
            this.callers = callers;
            this.endNanos = endNanos;
            this.most = most;
            this.ids = ids;
        }

        void next() {
            if (sent == most || System.nanoTime() - endNanos >= 0) {
                callers--;
                if (callers == 0) {
                    done.complete(answered);
                }
                return;
            }
            sent++;
            call.get().onSuccess(answer -> {
                answered++;
                ids.addFrom(answer);
                next();
            }).onFailure(done::completeExceptionally);
        }
    }
}
