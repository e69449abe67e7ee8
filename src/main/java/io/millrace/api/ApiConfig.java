package io.millrace.api;

import java.time.Duration;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

import jakarta.validation.constraints.AssertTrue;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;

/** What the API takes. */
@ConfigMapping(prefix = "millrace.api")
public interface ApiConfig {
    /** Most bytes of a request with one job. 1 kB to 16 MB. */
    @WithDefault("262144")
    @Min(1_024)
    @Max(16_777_216)
    int maxBody();

    /** Most bytes of a bulk request. 1 kB to 16 MB. */
    @WithDefault("16777216")
    @Min(1_024)
    @Max(16_777_216)
    int maxBulkBody();

    /** Most jobs in a bulk request. 1 to 10,000. */
    @WithDefault("10000")
    @Min(1)
    @Max(10_000)
    int maxBulkJobs();

    /** How deep a payload may nest. 1 to 500. */
    @WithDefault("64")
    @Min(1)
    @Max(500)
    int maxDepth();

    /** How far ahead a job may be scheduled. */
    @WithDefault("366d")
    Duration maxDelay();

    /** The longest timeout of one attempt. */
    @WithDefault("24h")
    Duration maxTimeout();

    /** Most connections; one more is closed at once. 1 to 1,000,000. */
    @WithDefault("10000")
    @Min(1)
    @Max(1_000_000)
    int maxConnections();

    /** A connection on which nothing was sent or received for so long is closed. At least 10 s longer than {@link #maxWait}, at most 1 h. */
    @WithDefault("90s")
    Duration idleTimeout();

    /** Most bytes of all headers of a request; more are answered 431. 1 kB to 1 MB. */
    @WithDefault("16384")
    @Min(1_024)
    @Max(1_048_576)
    int maxHead();

    /** Most bytes of the first line of a request, which holds its path and query; more are answered 414. 1 kB to 64 kB. */
    @WithDefault("4096")
    @Min(1_024)
    @Max(65_536)
    int maxUri();

    /** How long a client may take to send a body; then its connection is closed. 1 s to 10 min. */
    @WithDefault("30s")
    Duration bodyTimeout();

    /** The longest {@code ?wait=}. */
    @WithDefault("60s")
    Duration maxWait();

    /** Most requests that may wait for the end of a job at once. 1 to 100,000. */
    @WithDefault("10000")
    @Min(1)
    @Max(100_000)
    int maxWaiting();

    /** Most requests under way at once; one more is answered 503. Those that wait for the end of a job do not count. 1 to 1,000,000. */
    @WithDefault("4000")
    @Min(1)
    @Max(1_000_000)
    int maxInFlight();

    /** Most bytes that the bodies of the requests under way have together, and 500 more for each job of a bulk request; what is more is answered 503. In memory they take about four times as much. */
    @WithDefault("33554432")
    @Min(1)
    long maxInFlightBytes();

    /**
     * At a stop, how long requests are still answered, each with {@code Connection: close}, while readiness says no: callers that
     * keep connections open, and balancers that ask for readiness, go elsewhere in their own time. Then connections are closed.
     * With embedded servers 0, unless it is set. 0 to 1 min.
     */
    @WithDefault("5s")
    Duration drain();

    @AssertTrue(message = "millrace.api.drain must be 0s to 1m")
    default boolean isDrainInBounds() {
        return !drain().isNegative() && drain().compareTo(Duration.ofMinutes(1)) <= 0;
    }

    @AssertTrue(message = "millrace.api.idle-timeout must be at least 10s longer than max-wait, during which nothing is sent, "
            + "and at most 1h")
    default boolean isIdleTimeoutInBounds() {
        return idleTimeout().compareTo(maxWait().plusSeconds(10)) >= 0 && idleTimeout().compareTo(Duration.ofHours(1)) <= 0;
    }

    @AssertTrue(message = "millrace.api.body-timeout must be 1s to 10m")
    default boolean isBodyTimeoutInBounds() {
        return bodyTimeout().toMillis() >= 1_000 && bodyTimeout().compareTo(Duration.ofMinutes(10)) <= 0;
    }

    @AssertTrue(message = "millrace.api.max-in-flight-bytes must be at least max-body, and max-bulk-body + 500 * max-bulk-jobs: "
            + "a body that large could never be sent")
    default boolean isRoomForEveryBody() {
        return maxInFlightBytes() >= Math.max(maxBody(), maxBulkBody() + 500L * maxBulkJobs());
    }
}
