package io.millrace.api;

import java.util.List;
import java.util.Map;

import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;

import org.eclipse.microprofile.config.inject.ConfigProperty;

import io.quarkus.runtime.ShutdownDelayInitiatedEvent;
import io.quarkus.vertx.http.ManagementInterface;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.RoutingContext;

/**
 * Tells browsers, with every answer, what they may do with it. The rules for all paths are here; an answer that has one keeps it.
 * While the process drains, tells every client to leave its connection.
 */
@Singleton
class AnswerHeaders {
    /** Before CORS (300), so that what is refused there has them, too. */
    private static final int PRIORITY = 1_000;
    private static final String HSTS = "Strict-Transport-Security";
    private static final String A_YEAR = "max-age=31536000";

    private static final Map<CharSequence, CharSequence> ALWAYS = Map.of(
            HttpHeaders.createOptimized("X-Content-Type-Options"), HttpHeaders.createOptimized("nosniff"),
            HttpHeaders.createOptimized("Referrer-Policy"), HttpHeaders.createOptimized("no-referrer"),
            HttpHeaders.createOptimized("Cross-Origin-Resource-Policy"), HttpHeaders.createOptimized("same-origin"));
    private static final Map<CharSequence, CharSequence> FOR_DATA = Map.of(
            HttpHeaders.CACHE_CONTROL, HttpHeaders.createOptimized("no-store"),
            HttpHeaders.createOptimized("Content-Security-Policy"),
            HttpHeaders.createOptimized("default-src 'none'; frame-ancestors 'none'"));

    /** What answers below a path have besides {@link #ALWAYS}. */
    private record Rule(String path, Map<CharSequence, CharSequence> headers) {}

    /** The first that fits. */
    private static final List<Rule> RULES = List.of(
            new Rule("/q/swagger-ui", Map.of()), // pages, in dev mode only
            new Rule("/q/dev-ui", Map.of()),
            new Rule("/", FOR_DATA));

    private final boolean isAlwaysTls;
    private volatile boolean isDraining;

    /** @param isAlwaysTls true if clients come over TLS though this process does not see it */
    AnswerHeaders(@ConfigProperty(name = "millrace.http.hsts", defaultValue = "false") boolean isAlwaysTls) {
        this.isAlwaysTls = isAlwaysTls;
    }

    void register(@Observes Filters filters) {
        filters.register(this::prepare, PRIORITY);
    }

    void register(@Observes ManagementInterface management) {
        management.router().route().order(-PRIORITY).handler(this::prepare);
    }

    void drain(@Observes ShutdownDelayInitiatedEvent event) {
        isDraining = true;
    }

    private void prepare(RoutingContext context) {
        context.addHeadersEndHandler(written -> complete(context));
        context.next();
    }

    private void complete(RoutingContext context) {
        MultiMap headers = context.response().headers();
        addMissing(headers, ALWAYS);
        String path = context.request().path();
        if (path != null) {
            addMissing(headers, RULES.stream().filter(rule -> path.startsWith(rule.path())).findFirst().map(Rule::headers)
                    .orElse(FOR_DATA));
        }
        if (isAlwaysTls || context.request().isSSL()) {
            headers.set(HSTS, A_YEAR);
        }
        // Quarkus says so to requests that come from now on; one that came before would have its client send the next one just as
        // the connection is closed.
        if (isDraining && context.request().version() == HttpVersion.HTTP_1_1) {
            headers.set(HttpHeaders.CONNECTION, HttpHeaders.CLOSE);
        }
    }

    private static void addMissing(MultiMap headers, Map<CharSequence, CharSequence> more) {
        more.forEach((name, value) -> {
            if (!headers.contains(name)) {
                headers.set(name, value);
            }
        });
    }
}
