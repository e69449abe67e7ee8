package io.millrace.bench;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

import io.millrace.bench.Caller.Call;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;

/**
 * Sends at a fixed rate, whatever becomes of the earlier requests, as independent clients do. Every time counts from the moment at
 * which a request was planned: what waits in here, because the machine was busy or no connection free, is part of it.
 */
final class OpenLoop {

    private static final Duration LATE = Duration.ofMillis(1);

    private final Supplier<Future<Buffer>> call;
    private final long startNanos = System.nanoTime();
    private final long startEpochUs = ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
    private final long intervalNanos;
    private final UUID[] ids;
    private final long[] answeredNanos;
    private final CompletableFuture<Void> done = new CompletableFuture<>();
    private int answered; // on the event loop alone, as is the next
    private int late;

    private OpenLoop(Supplier<Future<Buffer>> call, int perSecond, int requests) {
        this.call = call;
        this.intervalNanos = TimeUnit.SECONDS.toNanos(1) / perSecond;
        this.ids = new UUID[requests];
        this.answeredNanos = new long[requests];
    }

    /**
     * One request, and what it was answered.
     *
     * @param plannedEpochUs when it was to be sent, microseconds since 1970
     * @param answerUs from then to its answer, in microseconds
     */
    record Sent(UUID jobId, long plannedEpochUs, long answerUs) {}

    /** @param late how many left this process more than a millisecond after their time */
    record Result(Sent[] requests, int late) {}

    /** @throws Exception if a request is not answered as it should be */
    static Result run(Caller caller, Call call, int perSecond, Duration time) throws Exception {
        int requests = Math.toIntExact(perSecond * time.toSeconds());
        OpenLoop loop = new OpenLoop(caller.prepare(call), perSecond, requests);
        for (int i = 0; i < requests && !loop.done.isDone(); i++) {
            int number = i;
            loop.awaitTimeOf(number);
            caller.onEventLoop(() -> loop.send(number));
        }
        loop.done.get(Caller.ANSWER_LIMIT.toSeconds(), TimeUnit.SECONDS);
        return loop.result();
    }

    private void awaitTimeOf(int number) {
        long left = plannedNanos(number) - System.nanoTime();
        while (left > 0) {
            LockSupport.parkNanos(left);
            left = plannedNanos(number) - System.nanoTime();
        }
    }

    private void send(int number) {
        if (System.nanoTime() - plannedNanos(number) > LATE.toNanos()) {
            late++;
        }
        call.get().onSuccess(answer -> {
            answeredNanos[number] = System.nanoTime();
            ids[number] = UUID.fromString(answer.toJsonObject().getString("id"));
            if (++answered == ids.length) {
                done.complete(null);
            }
        }).onFailure(done::completeExceptionally);
    }

    private long plannedNanos(int number) {
        return startNanos + number * intervalNanos;
    }

    private Result result() {
        Sent[] requests = new Sent[ids.length];
        Arrays.setAll(requests, i -> new Sent(ids[i], startEpochUs + TimeUnit.NANOSECONDS.toMicros(i * intervalNanos),
                TimeUnit.NANOSECONDS.toMicros(answeredNanos[i] - plannedNanos(i))));
        return new Result(requests, late);
    }
}
