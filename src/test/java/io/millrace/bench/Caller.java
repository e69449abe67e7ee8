package io.millrace.bench;

import java.net.URI;
import java.time.Duration;
import java.util.function.Supplier;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.http.RequestOptions;

/** The HTTP client of the load generators: keep-alive connections, all on one event loop. */
final class Caller implements AutoCloseable {

    static final int MOST_CONNECTIONS = 64;
    static final Duration ANSWER_LIMIT = Duration.ofSeconds(30);

    private final URI server;
    private final Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1).setWorkerPoolSize(1));
    private final HttpClient client = vertx.createHttpClient(new HttpClientOptions(),
            new PoolOptions().setHttp1MaxSize(MOST_CONNECTIONS));

    Caller(URI server) {
        this.server = server;
    }

    /**
     * What to send again and again.
     *
     * @param body null for a GET
     * @param answerStart how every answer has to begin
     */
    record Call(String path, String body, int status, String answerStart) {}

    /** @return what sends the call once and gives the answer, or fails if it is not as it should be */
    Supplier<Future<Buffer>> prepare(Call call) {
        Buffer body = call.body() == null ? Buffer.buffer() : Buffer.buffer(call.body());
        RequestOptions options = new RequestOptions().setHost(server.getHost()).setPort(server.getPort()).setURI(call.path())
                .setMethod(call.body() == null ? HttpMethod.GET : HttpMethod.POST).setTimeout(ANSWER_LIMIT.toMillis())
                .putHeader("Content-Type", "application/json");
        return () -> client.request(options).compose(request -> request.send(body))
                .compose(response -> response.body().compose(answer -> isRight(call, response.statusCode(), answer)
                        ? Future.succeededFuture(answer)
                        : Future.failedFuture(call.path() + " answered " + response.statusCode() + " " + answer)));
    }

    private static boolean isRight(Call call, int status, Buffer answer) {
        return status == call.status() && answer.length() >= call.answerStart().length()
                && answer.getString(0, call.answerStart().length()).equals(call.answerStart());
    }

    void onEventLoop(Runnable work) {
        vertx.runOnContext(start -> work.run());
    }

    @Override
    public void close() {
        vertx.close();
    }
}
