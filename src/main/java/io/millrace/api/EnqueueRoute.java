package io.millrace.api;

import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.LongAdder;

import jakarta.annotation.security.RolesAllowed;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import jakarta.ws.rs.core.MediaType;

import io.millrace.account.Caller;
import io.millrace.account.CurrentCaller;
import io.millrace.intake.Intake;
import io.millrace.job.KeyedJob;
import io.millrace.job.Receipt;
import io.smallrye.mutiny.Uni;
import io.vertx.core.MultiMap;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;

/**
 * The short way to {@link JobsResource#enqueue}: what a framework does for each request costs more than accepting a job. It takes
 * requests that are as nearly all are, and does with them what that method does. Whatever is unusual about a request, be it only
 * that its caller has to be checked, is left to the framework before anything of the body is read: so all that is refused by the
 * rules of HTTP is refused there.
 */
@Singleton
public class EnqueueRoute {
    /** After CORS (-300). What comes behind it until the framework asks who calls, and for admission, which it does itself. */
    private static final int ORDER = -250;
    private static final Set<String> JSON = Set.of("application/json", "application/json; charset=utf-8",
            "application/json;charset=utf-8", "application/json; charset=UTF-8", "application/json;charset=UTF-8");
    private static final Set<String> ANY_OR_JSON = Set.of("*/*", "application/json", "application/json, */*",
            "application/json, text/plain, */*");
    // As the framework writes them, to the letter.
    private static final CharSequence LOCATION = HttpHeaders.createOptimized("Location");
    private static final CharSequence CONTENT_TYPE = HttpHeaders.createOptimized("Content-Type");
    private static final CharSequence JSON_ANSWER = HttpHeaders.createOptimized(MediaType.APPLICATION_JSON + ";charset=UTF-8");
    private static final CharSequence IDEMPOTENCY_KEY = HttpHeaders.createOptimized(IdempotencyHeader.NAME);
    private static final CharSequence REPLAYED = HttpHeaders.createOptimized(IdempotencyHeader.REPLAYED);
    private static final CharSequence TRUE = HttpHeaders.createOptimized("true");

    private final Admission admission;
    private final CurrentCaller callers;
    private final RateGate rates;
    private final JobReader reader;
    private final Intake intake;
    private final ProblemWriter problems;
    private final ApiConfig config;
    private final RequestTraces traces;
    private final Set<String> groups = groups();
    private final LongAdder taken = new LongAdder();

    EnqueueRoute(Admission admission, CurrentCaller callers, RateGate rates, JobReader reader, Intake intake,
            ProblemWriter problems, ApiConfig config, RequestTraces traces) {
        this.admission = admission;
        this.callers = callers;
        this.rates = rates;
        this.reader = reader;
        this.intake = intake;
        this.problems = problems;
        this.config = config;
        this.traces = traces;
    }

    /** The rule stands at the method. */
    private static Set<String> groups() {
        try {
            return Set.of(JobsResource.class.getMethod("enqueue", byte[].class, List.class, RoutingContext.class)
                    .getAnnotation(RolesAllowed.class).value());
        } catch (NoSuchMethodException e) {
            throw new IllegalStateException("the resource has another method now", e);
        }
    }

    /** @return how many requests were not left to the framework since the start */
    public long takenCount() {
        return taken.sum();
    }

    void register(@Observes Router router) {
        router.route(HttpMethod.POST, JobsResource.PATH).order(ORDER).handler(this::enqueue);
    }

    private void enqueue(RoutingContext context) {
        Caller caller = isUsual(context.request()) ? callers.known(context.request()) : null;
        if (caller != null && caller.groups().stream().anyMatch(groups::contains)) {
            taken.increment();
            if (admission.admit(context)) {
                read(context, caller.tenant());
            }
        } else {
            context.next();
        }
    }

    private void read(RoutingContext context, String tenant) {
        context.request().bodyHandler(body -> enqueue(context, body.getBytes(), tenant))
                .resume(); // filters may have it wait
    }

    private boolean isUsual(HttpServerRequest request) {
        MultiMap headers = request.headers();
        String type = headers.get(HttpHeaders.CONTENT_TYPE);
        String accept = headers.get(HttpHeaders.ACCEPT);
        return request.uri().equals(JobsResource.PATH) // not as the router sees it, for which /v1//jobs/ is the same
                && request.version() == HttpVersion.HTTP_1_1
                && type != null && JSON.contains(type)
                && (accept == null || ANY_OR_JSON.contains(accept))
                && isShort(headers.get(HttpHeaders.CONTENT_LENGTH))
                && isClear(headers.getAll(IDEMPOTENCY_KEY))
                && !headers.contains(HttpHeaders.TRANSFER_ENCODING) && !headers.contains(HttpHeaders.EXPECT);
    }

    /** @param length what the HTTP codec has found to be a number */
    private boolean isShort(String length) {
        return length != null && Long.parseLong(length) <= config.maxBody();
    }

    private static boolean isClear(List<String> keys) {
        return keys.isEmpty() || keys.size() == 1 && !keys.get(0).isEmpty();
    }

    private void enqueue(RoutingContext context, byte[] body, String tenant) {
        Uni.createFrom().deferred(() -> rates.enterJobs(tenant, context, 1)) // so that whatever it throws is answered
                .chain(() -> accept(traces.join(context, reader.readJob(body, tenant,
                        IdempotencyHeader.read(context.request().headers().getAll(IDEMPOTENCY_KEY))))))
                .subscribe().with(answer -> answer.send(context.response()), failure -> refuse(context, failure));
    }

    private Uni<Answer> accept(KeyedJob keyed) {
        return intake.accept(keyed).map(receipt -> new Answer(Accepted.of(keyed.job(), receipt), receipt));
    }

    private record Answer(Accepted job, Receipt receipt) {
        void send(HttpServerResponse response) {
            response.setStatusCode(Accepted.status(receipt)).putHeader(LOCATION, job.location());
            if (receipt.isReplayed()) {
                response.putHeader(REPLAYED, TRUE);
            }
            response.putHeader(CONTENT_TYPE, JSON_ANSWER).end(Buffer.buffer(job.json()));
        }
    }

    private void refuse(RoutingContext context, Throwable failure) {
        problems.end(context, ProblemMapper.problemOf(failure).problem());
    }
}
