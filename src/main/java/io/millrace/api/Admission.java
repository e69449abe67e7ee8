package io.millrace.api;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;

import io.quarkus.vertx.http.runtime.VertxHttpRecorder;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.RoutingContext;

/**
 * Bounds what requests hold in memory, before anything of a body is read: how many are under way, and how many bytes their bodies
 * have. While PostgreSQL is slow or away, requests wait for it, and without a bound they would wait until the memory is gone.
 * One that finds no room is told so at once, and to come back.
 */
@Singleton
public class Admission {
    /** After Quarkus has refused bodies that are too long for any path, before anybody else looks at the request. */
    private static final int PRIORITY = 1;
    /** How long a client may go on sending the body of a request that was refused. */
    private static final long LINGER_MS = 5_000;
    /** What a job of a bulk request takes beside the bytes of its body: those can be as few as 16, of 10,000 jobs. */
    private static final long BYTES_PER_BULK_JOB = 500;
    private static final String TICKET = Admission.class.getName();

    private final Vertx vertx;
    private final ApiConfig config;
    private final ProblemWriter problems;
    private final AtomicInteger requests = new AtomicInteger();
    private final AtomicLong bytes = new AtomicLong();
    private final AtomicLong refused = new AtomicLong();

    Admission(Vertx vertx, ApiConfig config, ProblemWriter problems) {
        this.vertx = vertx;
        this.config = config;
        this.problems = problems;
    }

    void register(@Observes Filters filters) {
        filters.register(context -> {
            if (admit(context)) {
                context.next();
            }
        }, PRIORITY);
    }

    public int requestsInFlight() {
        return requests.get();
    }

    public long bytesInFlight() {
        return bytes.get();
    }

    /** @return how many were refused since the start */
    public long refusedCount() {
        return refused.get();
    }

    /** @return false if there is no room: the request is answered, then */
    boolean admit(RoutingContext context) {
        Ticket ticket = enter(bodyBytes(context));
        if (ticket == null) {
            refused.incrementAndGet();
            refuse(context);
            return false;
        }
        context.put(TICKET, ticket);
        context.addEndHandler(ended -> ticket.leave()); // also if the client hangs up
        if (ticket.held > 0) {
            boundBody(context);
        }
        return true;
    }

    /** A client that sends its body a byte at a time is never idle, and would keep its place for as long as it likes. */
    private void boundBody(RoutingContext context) {
        HttpServerRequest request = context.request();
        long timer = vertx.setTimer(config.bodyTimeout().toMillis(), fired -> {
            if (!request.isEnded()) {
                request.connection().close();
            }
        });
        context.addEndHandler(ended -> vertx.cancelTimer(timer));
    }

    /** A body that does not say how long it is counts as the longest that its path takes, and is read no further than that. */
    private long bodyBytes(RoutingContext context) {
        String length = context.request().getHeader(HttpHeaders.CONTENT_LENGTH);
        if (length != null) {
            return Long.parseLong(length); // the HTTP codec has refused what is no number
        }
        if (!context.request().headers().contains(HttpHeaders.TRANSFER_ENCODING)) {
            return 0;
        }
        boolean isBulk = context.request().path().equals(JobsResource.PATH + JobsResource.BULK);
        long most = isBulk ? config.maxBulkBody() : config.maxBody();
        context.put(VertxHttpRecorder.MAX_REQUEST_SIZE_KEY, most);
        return most;
    }

    /** @return null if there is no room */
    private Ticket enter(long bodyBytes) {
        if (requests.incrementAndGet() > config.maxInFlight()) {
            requests.decrementAndGet();
            return null;
        }
        if (!take(bodyBytes)) {
            requests.decrementAndGet();
            return null;
        }
        return new Ticket(bodyBytes);
    }

    private boolean take(long wanted) {
        if (bytes.addAndGet(wanted) > config.maxInFlightBytes()) {
            bytes.addAndGet(-wanted);
            return false;
        }
        return true;
    }

    /** Once it is known how many jobs a body holds. @throws ProblemException if there is no room for so many */
    void enterBulk(RoutingContext context, int jobs) {
        Ticket ticket = context.get(TICKET);
        if (!ticket.grow(jobs * BYTES_PER_BULK_JOB)) {
            refused.incrementAndGet();
            throw ProblemException.busy();
        }
    }

    /** The place of one request. */
    private final class Ticket {
        private long held;
        private boolean isAside;
        private boolean hasLeft;

        private Ticket(long bodyBytes) {
            held = bodyBytes;
        }

        private synchronized boolean grow(long wanted) {
            boolean isGranted = !hasLeft && take(wanted);
            held += isGranted ? wanted : 0;
            return isGranted;
        }

        private synchronized void leave() {
            if (!hasLeft) {
                hasLeft = true;
                bytes.addAndGet(-held);
                requests.addAndGet(isAside ? 0 : -1);
            }
        }

        private synchronized void stepAside(boolean aside) {
            if (!hasLeft && isAside != aside) {
                isAside = aside;
                requests.addAndGet(aside ? -1 : 1);
            }
        }
    }

    /**
     * For a wait that has a bound of its own: while it lasts, the request does not count, so that many who wait for the ends of
     * jobs do not keep out those who bring some. It counts again afterwards, whether there is room or not.
     */
    <T> Uni<T> aside(RoutingContext context, Uni<T> wait) {
        Ticket ticket = context.get(TICKET);
        return wait.onSubscription().invoke(() -> ticket.stepAside(true)).onTermination().invoke(() -> ticket.stepAside(false));
    }

    private void refuse(RoutingContext context) {
        HttpServerRequest request = context.request();
        HttpServerResponse response = context.response();
        if (!request.isEnded() && request.version() != HttpVersion.HTTP_2) {
            response.putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE);
            closeAfterBody(request);
        }
        problems.end(context, ProblemException.busy().problem());
    }

    /**
     * What the client is sending is thrown away as it comes. Closing at once would make the system answer it with a reset, which
     * may overtake the answer: the client would see a broken connection instead of a 503.
     */
    private void closeAfterBody(HttpServerRequest request) {
        long timer = vertx.setTimer(LINGER_MS, fired -> request.connection().close());
        request.handler(ignored -> {});
        request.exceptionHandler(gone -> vertx.cancelTimer(timer));
        request.endHandler(ended -> {
            vertx.cancelTimer(timer);
            request.connection().close();
        });
        request.resume();
    }
}
