package io.millrace.api;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;

import io.millrace.job.KeyedJob;
import io.millrace.job.NewJob;
import io.millrace.job.TraceParent;
import io.millrace.tracing.Tracing;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;

/**
 * One span for each request that hands in jobs, under which the attempts of those jobs will stand. Without tracing there is no such
 * route, and jobs pass as they are.
 */
@Singleton
public class RequestTraces {
    /** After CORS (-300), before {@link EnqueueRoute}: a request that is refused has a span, too. */
    private static final int ORDER = -260;
    private static final List<String> PATHS = List.of(JobsResource.PATH, JobsResource.PATH + JobsResource.BULK, "/jobs",
            "/processJob", "/addJob");
    private static final String KEY = RequestTraces.class.getName();
    private static final int FIRST_SERVER_ERROR = 500;
    /** A client that hung up before it was answered. */
    private static final int NO_ANSWER = 499;
    private static final AttributeKey<String> METHOD = AttributeKey.stringKey("http.request.method");
    private static final AttributeKey<String> ROUTE = AttributeKey.stringKey("http.route");
    private static final AttributeKey<String> SCHEME = AttributeKey.stringKey("url.scheme");
    private static final AttributeKey<String> URL_PATH = AttributeKey.stringKey("url.path");
    private static final AttributeKey<Long> STATUS = AttributeKey.longKey("http.response.status_code");
    private static final AttributeKey<Long> JOBS = AttributeKey.longKey("messaging.batch.message_count");
    private static final AttributeKey<String> ERROR = AttributeKey.stringKey("error.type");

    private static final TextMapGetter<HttpServerRequest> HEADERS = new TextMapGetter<>() {
        @Override
        public Iterable<String> keys(HttpServerRequest request) {
            return request.headers().names();
        }

        @Override
        public String get(HttpServerRequest request, String name) {
            return request.getHeader(name);
        }
    };

    /** @param jobs how many were handed in, whatever became of them */
    private record Started(Span span, TraceParent parent, AtomicInteger jobs) {}

    private final Tracing tracing;
    private final boolean isOn;

    RequestTraces(Tracing tracing) {
        this.tracing = tracing;
        this.isOn = tracing.isOn();
    }

    void register(@Observes Router router) {
        if (isOn) {
            PATHS.forEach(path -> router.route(HttpMethod.POST, path).order(ORDER).handler(context -> begin(context, path)));
        }
    }

    private void begin(RoutingContext context, String route) {
        HttpServerRequest request = context.request();
        Span span = tracing.startRequest("POST " + route, request, HEADERS);
        span.setAttribute(METHOD, "POST").setAttribute(ROUTE, route).setAttribute(URL_PATH, request.path())
                .setAttribute(SCHEME, request.scheme());
        Started started = new Started(span, Tracing.parent(span), new AtomicInteger());
        context.put(KEY, started);
        context.addEndHandler(ended -> end(started, ended.succeeded() ? context.response().getStatusCode() : NO_ANSWER));
        context.next();
    }

    private static void end(Started started, int status) {
        Span span = started.span();
        span.setAttribute(STATUS, (long) status).setAttribute(JOBS, started.jobs().longValue());
        if (status >= FIRST_SERVER_ERROR) {
            span.setStatus(StatusCode.ERROR).setAttribute(ERROR, String.valueOf(status));
        }
        span.end();
    }

    /** @return the job, in the trace of the request that hands it in, if somebody records that */
    public NewJob join(RoutingContext request, NewJob job) {
        TraceParent parent = isOn ? enter(request) : null;
        return parent == null ? job : job.withTrace(parent);
    }

    /** The same. */
    public KeyedJob join(RoutingContext request, KeyedJob job) {
        TraceParent parent = isOn ? enter(request) : null;
        return parent == null ? job : job.withTrace(parent);
    }

    private static TraceParent enter(RoutingContext request) {
        Started started = request.get(KEY);
        if (started == null) {
            return null; // by a path that the router takes for the same, and we do not
        }
        started.jobs().incrementAndGet();
        return started.parent();
    }
}
