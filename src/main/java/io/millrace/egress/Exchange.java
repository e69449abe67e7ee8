package io.millrace.egress;

import java.net.URI;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Supplier;

import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.UniEmitter;
import io.vertx.core.AsyncResult;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpHeaders;

/** One request and its answer, the bytes of the body counted as they come. */
final class Exchange {

    private final Vertx vertx;
    private final URI uri;
    private final long maxBytes;
    private final Duration maxSilence;
    private final UniEmitter<? super EgressResponse> emitter;
    private final Buffer body = Buffer.buffer();

    private volatile HttpClientRequest request;
    /** The answer was read to its end: the connection can serve another request. */
    private volatile boolean complete;
    /** Nobody waits for the answer any more. */
    private volatile boolean over;

    private volatile long lastHeardNanos;
    private volatile long timer;

    private Exchange(Vertx vertx, URI uri, long maxBytes, Duration maxSilence, UniEmitter<? super EgressResponse> emitter) {
        this.vertx = vertx;
        this.uri = uri;
        this.maxBytes = maxBytes;
        this.maxSilence = maxSilence;
        this.emitter = emitter;
    }

    /** @return an answer with any status; the body is empty unless the status is 2xx. Cancelling resets the request. */
    static Uni<EgressResponse> of(Vertx vertx, URI uri, Supplier<Future<HttpClientRequest>> connect, long maxBytes,
            Duration maxSilence) {
        return Uni.createFrom().emitter(emitter -> {
            Exchange exchange = new Exchange(vertx, uri, maxBytes, maxSilence, emitter);
            emitter.onTermination(exchange::end);
            connect.get().onComplete(exchange::connected);
        });
    }

    private void connected(AsyncResult<HttpClientRequest> connection) {
        if (connection.failed()) {
            Throwable cause = connection.cause();
            emitter.fail(
                    EgressFailedException.unreachable("cannot connect to " + uri.getHost() + ": " + reason(cause), cause));
            return;
        }
        request = connection.result();
        if (over) {
            request.reset();
            return;
        }
        lastHeardNanos = System.nanoTime();
        watch(maxSilence);
        request.send().onSuccess(this::answered).onFailure(this::broke);
    }

    /** The idle timeout of Vert.x ends with the head of the answer; this one goes on until the end of the body. */
    private void watch(Duration silenceLeft) {
        timer = vertx.setTimer(Math.max(1, silenceLeft.toMillis()), fired -> {
            Duration left = maxSilence.minusNanos(System.nanoTime() - lastHeardNanos);
            if (over) {
                return;
            }
            if (left.isNegative() || left.isZero()) {
                emitter.fail(EgressFailedException.timeout(uri.getHost() + " was silent for " + maxSilence.toMillis() + " ms"));
            } else {
                watch(left);
            }
        });
    }

    private void answered(HttpClientResponse response) {
        response.exceptionHandler(this::broke);
        lastHeardNanos = System.nanoTime();
        if (response.statusCode() / 100 != 2) {
            emitter.complete(new EgressResponse(uri, response.statusCode(), response.headers(), new byte[0]));
            return;
        }
        if (declaredLength(response) > maxBytes) {
            emitter.fail(EgressFailedException.tooLarge(uri.getHost(), maxBytes));
            return;
        }
        response.handler(this::read).endHandler(ended -> {
            complete = true;
            emitter.complete(new EgressResponse(uri, response.statusCode(), response.headers(), body.getBytes()));
        });
    }

    private void read(Buffer chunk) {
        if (over) {
            return;
        }
        lastHeardNanos = System.nanoTime();
        if (body.length() + (long) chunk.length() > maxBytes) {
            emitter.fail(EgressFailedException.tooLarge(uri.getHost(), maxBytes));
        } else {
            body.appendBuffer(chunk);
        }
    }

    private void broke(Throwable cause) {
        emitter.fail(
                EgressFailedException.broken("the connection to " + uri.getHost() + " broke: " + reason(cause), cause));
    }

    /** Answered, failed or cancelled; in all but the first case the rest of the answer is not worth its bytes. */
    private void end() {
        over = true;
        vertx.cancelTimer(timer); // or the bytes of the body would stay in memory until it fires
        HttpClientRequest started = request;
        if (started != null && !complete) {
            started.reset();
        }
    }

    /** @return 0 if the server did not say, or said nonsense: what is read is counted in any case */
    private static long declaredLength(HttpClientResponse response) {
        String length = response.getHeader(HttpHeaders.CONTENT_LENGTH);
        return length != null && length.matches("[0-9]{1,18}") ? Long.parseLong(length) : 0;
    }

    /** What a decoder complains of is quoted from the answer. */
    private static String reason(Throwable cause) {
        return PlainText.of(Objects.requireNonNullElse(cause.getMessage(), cause.getClass().getSimpleName()));
    }
}
