package io.millrace.intake;

import java.time.Duration;

import jakarta.validation.constraints.AssertTrue;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

/** How long the idempotency keys of requests are remembered. */
@ConfigMapping(prefix = "millrace.idempotency")
public interface IdempotencyConfig {
    /** A request with the same key is the same request for so long. 1 min to 365 d. */
    @WithDefault("24h")
    Duration ttl();

    @AssertTrue(message = "millrace.idempotency.ttl must be from 1m to 365d")
    default boolean isKeptForATime() {
        return ttl().compareTo(Duration.ofMinutes(1)) >= 0 && ttl().compareTo(Duration.ofDays(365)) <= 0;
    }
}
