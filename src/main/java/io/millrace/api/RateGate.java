package io.millrace.api;

import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.ws.rs.core.Response;

import org.jboss.resteasy.reactive.server.ServerRequestFilter;

import io.millrace.account.Tenant;
import io.millrace.rate.RateLimiter;
import io.millrace.rate.RateLimiter.Limited;
import io.millrace.rate.Verdict;
import io.smallrye.mutiny.Uni;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;

/**
 * Keeps tenants to their rates, and tells them where they stand: in the fields of draft-ietf-httpapi-ratelimit-headers, and with 429
 * and {@code Retry-After} when they are over.
 */
@ApplicationScoped // so that the filter can be made before there are settings
public class RateGate {
    /** What a request that hands in jobs costs is asked for where it is known how many. The rest of POST is for admins, and rare. */
    private static final Set<HttpMethod> READING = Set.of(HttpMethod.GET, HttpMethod.HEAD, HttpMethod.DELETE);

    private final RateLimiter limiter;
    private final Tenant tenant;
    private final Map<Limited, AtomicLong> refused = Map.of(Limited.JOBS, new AtomicLong(), Limited.REQUESTS, new AtomicLong());

    RateGate(RateLimiter limiter, Tenant tenant) {
        this.limiter = limiter;
        this.tenant = tenant;
    }

    /** @return how many requests were refused since the start */
    public long refusedCount(Limited limited) {
        return refused.get(limited).get();
    }

    /**
     * To be asked while the method of a resource is being called.
     *
     * @param count what the request hands in, each of them
     * @return fails with a {@link ProblemException} if the tenant is over its limit
     */
    public Uni<Void> enterJobs(RoutingContext request, int count) {
        return enter(Limited.JOBS, tenant.current(), request, count);
    }

    /** The same at any time. */
    Uni<Void> enterJobs(String whose, RoutingContext request, int count) {
        return enter(Limited.JOBS, whose, request, count);
    }

    /** The same for a request that hands nothing in. */
    public Uni<Void> enterRequest(RoutingContext request) {
        return enter(Limited.REQUESTS, tenant.current(), request, 1);
    }

    /** After it was asked who calls, and before the method of the resource. @return null to go on */
    @ServerRequestFilter
    Uni<Response> enterReading(RoutingContext request) {
        return READING.contains(request.request().method())
                ? enterRequest(request).map(entered -> null)
                : Uni.createFrom().nullItem();
    }

    private Uni<Void> enter(Limited limited, String whose, RoutingContext request, long amount) {
        return limiter.take(limited, whose, amount).onItem().ifNotNull()
                .invoke(verdict -> tell(limited, verdict, request.response())).replaceWithVoid();
    }

    private void tell(Limited limited, Verdict verdict, HttpServerResponse response) {
        long restSeconds = seconds(verdict.isAllowed()
                ? verdict.limit().timeFor(verdict.limit().burst() - verdict.left())
                : verdict.pause());
        String policy = '"' + limited.label() + '"';
        response.putHeader("RateLimit-Policy", policy + ";q=" + verdict.limit().burst() + ";w="
                + seconds(verdict.limit().timeFor(verdict.limit().burst())));
        response.putHeader("RateLimit", policy + ";r=" + verdict.left() + ";t=" + restSeconds);
        if (!verdict.isAllowed()) {
            refused.get(limited).incrementAndGet();
            response.putHeader(HttpHeaders.RETRY_AFTER, Long.toString(restSeconds));
            throw ProblemException.tooFast(limited.label(), verdict.limit().perSecond(), verdict.limit().burst());
        }
    }

    /** Rounded up: who comes back then is not too early. */
    private static long seconds(Duration time) {
        return time.plusNanos(999_999_999).toSeconds();
    }
}
