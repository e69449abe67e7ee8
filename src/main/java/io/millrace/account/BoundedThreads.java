package io.millrace.account;

import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;

import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;

/** Dear work, off the event loops, on a few threads; what finds too many waiting is refused at once. */
final class BoundedThreads implements AutoCloseable {
    private final WorkerExecutor threads;
    private final int mostWaiting;
    private final AtomicInteger waiting = new AtomicInteger();

    BoundedThreads(Vertx vertx, String name, int count, int mostWaiting) {
        this.threads = vertx.createSharedWorkerExecutor(name, count);
        this.mostWaiting = mostWaiting;
    }

    /** The answer comes on the context of the caller. */
    <T> Uni<T> run(Callable<T> work) {
        return Uni.createFrom().emitter(emitter -> {
            if (waiting.incrementAndGet() > mostWaiting) {
                waiting.decrementAndGet();
                emitter.fail(RefusedException.busy());
                return;
            }
            threads.executeBlocking(work, false).onComplete(done -> {
                waiting.decrementAndGet();
                if (done.succeeded()) {
                    emitter.complete(done.result());
                } else {
                    emitter.fail(done.cause());
                }
            });
        });
    }

    @Override
    public void close() {
        threads.close();
    }
}
