package io.millrace.tracing;

import java.net.URI;
import java.time.Duration;
import java.util.Optional;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

import jakarta.validation.constraints.AssertTrue;
import jakarta.validation.constraints.DecimalMax;
import jakarta.validation.constraints.DecimalMin;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;

/** Where traces go, and how many. Without an endpoint nothing is traced, and nothing is done for it. */
@ConfigMapping(prefix = "millrace.tracing")
public interface TracingConfig {
    /**
     * Address of a collector that takes OTLP over HTTP, such as {@code http://collector:4318}; spans go to {@code /v1/traces} below it.
     * Default: {@code OTEL_EXPORTER_OTLP_ENDPOINT}; without either, nothing is traced.
     */
    Optional<String> endpoint();

    /**
     * Which part of the traces that begin here are recorded, 0 to 1. A caller that sends {@code traceparent} has decided for its own.
     * Default: {@code OTEL_TRACES_SAMPLER_ARG}, or 1.
     */
    @WithDefault("1")
    @DecimalMin("0")
    @DecimalMax("1")
    double ratio();

    /**
     * Headers for the collector, {@code name=value} with commas between them, special characters in values as {@code %2C}: a token, say.
     * Default: {@code OTEL_EXPORTER_OTLP_HEADERS}.
     */
    Optional<String> headers();

    /** What this system is called in traces. Default: {@code OTEL_SERVICE_NAME}, or {@code millrace}. */
    @WithDefault("millrace")
    String service();

    /** Most spans that wait to be sent; one more is dropped. 1 to 1,000,000. */
    @WithDefault("4096")
    @Min(1)
    @Max(1_000_000)
    int queue();

    /** How long a span waits for others to be sent along with it. 10 ms to 1 min. */
    @WithDefault("1s")
    Duration every();

    /** How long sending may take, repeats included; then those spans are dropped. 100 ms to 1 min. */
    @WithDefault("10s")
    Duration timeout();

    @AssertTrue(message = "millrace.tracing.endpoint must be an http:// or https:// URL of a host, without a query or a password")
    default boolean isEndpointUsable() {
        return endpoint().map(TracingConfig::isUsable).orElse(true);
    }

    @AssertTrue(message = "millrace.tracing.headers must be name=value, with commas between them")
    default boolean isEveryHeaderUsable() {
        return headers().map(CollectorHeaders::isUsable).orElse(true);
    }

    @AssertTrue(message = "millrace.tracing.every must be 10ms to 1m, timeout 100ms to 1m")
    default boolean isEveryTimeInBounds() {
        Duration minute = Duration.ofMinutes(1);
        return every().toMillis() >= 10 && every().compareTo(minute) <= 0 && timeout().toMillis() >= 100
                && timeout().compareTo(minute) <= 0;
    }

    private static boolean isUsable(String endpoint) {
        try {
            URI uri = URI.create(endpoint);
            return ("http".equals(uri.getScheme()) || "https".equals(uri.getScheme())) && uri.getHost() != null
                    && uri.getUserInfo() == null && uri.getQuery() == null && uri.getFragment() == null;
        } catch (IllegalArgumentException notAUrl) {
            return false;
        }
    }
}
