package io.millrace.bench;

import java.net.URI;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.http.RequestOptions;

/**
 * HTTP callers that send their next request when the last one is answered, each on a keep-alive connection of its own, all on
 * one event loop. So the server is never offered more than it takes; what is measured is its rate, not how it fails.
 */
final class ClosedLoop implements AutoCloseable {

    private static final int MOST_CALLERS = 64;
    private static final Duration ANSWER_LIMIT = Duration.ofSeconds(30);

    private final URI server;
    private final Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1).setWorkerPoolSize(1));
    private final HttpClient client = vertx.createHttpClient(new HttpClientOptions(),
            new PoolOptions().setHttp1MaxSize(MOST_CALLERS));

    ClosedLoop(URI server) {
        this.server = server;
    }

    /**
     * What to send again and again.
     *
     * @param body null for a GET
     * @param answerStart how every answer has to begin
     */
    record Call(String path, String body, int status, String answerStart) {}

    /**
     * @param ids takes the ids of the jobs in the answers
     * @return how many requests were answered within {@code time}, {@code most} at the most; the first wrong answer ends it
     */
    long run(Call call, int callers, Duration time, long most, IdHash ids) throws Exception {
        Run run = new Run(call, callers, System.nanoTime() + time.toNanos(), most, ids);
        vertx.runOnContext(start -> {
            for (int i = 0; i < callers; i++) {
                run.next();
            }
        });
        return run.done.get(time.plus(ANSWER_LIMIT).toMillis(), TimeUnit.MILLISECONDS);
    }

    @Override
    public void close() {
        vertx.close();
    }

    /** Lives on the event loop alone. */
    private final class Run {
        private final Call call;
        private final long endNanos;
        private final long most;
        private final IdHash ids;
        private final RequestOptions options;
        private final Buffer body;
        private final CompletableFuture<Long> done = new CompletableFuture<>();
        private int callers;
        private long sent;
        private long answered;

        Run(Call call, int callers, long endNanos, long most, IdHash ids) {
            this.call = call;
            this.callers = callers;
            this.endNanos = endNanos;
            this.most = most;
            this.ids = ids;
            this.body = call.body() == null ? Buffer.buffer() : Buffer.buffer(call.body());
            this.options = new RequestOptions().setHost(server.getHost()).setPort(server.getPort()).setURI(call.path())
                    .setMethod(call.body() == null ? HttpMethod.GET : HttpMethod.POST).setTimeout(ANSWER_LIMIT.toMillis())
                    .putHeader("Content-Type", "application/json");
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
            send().onSuccess(ok -> {
                answered++;
                next();
            }).onFailure(done::completeExceptionally);
        }

        private Future<Void> send() {
            return client.request(options).compose(request -> request.send(body))
                    .compose(response -> response.body().compose(answer -> {
                        boolean isRight = response.statusCode() == call.status()
                                && answer.length() >= call.answerStart().length()
                                && answer.getString(0, call.answerStart().length()).equals(call.answerStart());
                        if (!isRight) {
                            return Future.failedFuture(call.path() + " answered " + response.statusCode() + " " + answer);
                        }
                        ids.addFrom(answer);
                        return Future.succeededFuture();
                    }));
        }
    }
}
