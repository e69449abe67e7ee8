package io.millrace.rate;

import java.time.Duration;
import java.util.Map;
import java.util.OptionalInt;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

import jakarta.validation.constraints.AssertTrue;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;

/** How much each tenant may ask of all processes together. */
@ConfigMapping(prefix = "millrace.rate")
public interface RateConfig {
    /** Jobs that a tenant may hand in a second; a bulk request counts as its jobs, a retry as one. 0 (no limit) to 1,000,000. */
    @WithDefault("0")
    @Min(0)
    @Max(1_000_000)
    int jobs();

    /** Jobs that a tenant who was quiet may hand in at once. Default: ten times {@link #jobs}. 1 to 10,000,000. */
    OptionalInt jobsBurst();

    /** Other requests of a tenant a second. 0 (no limit) to 1,000,000. */
    @WithDefault("0")
    @Min(0)
    @Max(1_000_000)
    int requests();

    /** Other requests that a tenant who was quiet may send at once. Default: ten times {@link #requests}. 1 to 10,000,000. */
    OptionalInt requestsBurst();

    /** Other limits for a tenant: what is named here replaces the limit of all, 0 lifts it. */
    Map<String, OfTenant> tenants();

    /** The longest that a request waits for Redis to say whether it is within the limit. 1 ms to 1 s. */
    @WithDefault("50ms")
    Duration patience();

    /** After Redis has failed, how long each process keeps to the limits by itself before it asks again. 10 ms to 1 min. */
    @WithDefault("1s")
    Duration alone();

    /** The limits of one tenant. */
    interface OfTenant {
        /** Jobs a second. */
        OptionalInt jobs();

        /** Jobs at once. */
        OptionalInt jobsBurst();

        /** Other requests a second. */
        OptionalInt requests();

        /** Other requests at once. */
        OptionalInt requestsBurst();
    }

    @AssertTrue(message = "millrace.rate.patience must be 1ms to 1s, alone 10ms to 1m")
    default boolean isEveryTimeInBounds() {
        return patience().toMillis() >= 1 && patience().compareTo(Duration.ofSeconds(1)) <= 0
                && alone().toMillis() >= 10 && alone().compareTo(Duration.ofMinutes(1)) <= 0;
    }

    @AssertTrue(message = "millrace.rate.jobs-burst and requests-burst must be 1 to 10000000, and the limits of a tenant in "
            + "the bounds of those of all")
    default boolean isEveryLimitInBounds() {
        return isBurst(jobsBurst()) && isBurst(requestsBurst()) && tenants().values().stream().allMatch(
                one -> isRate(one.jobs()) && isRate(one.requests()) && isBurst(one.jobsBurst())
                        && isBurst(one.requestsBurst()));
    }

    private static boolean isRate(OptionalInt rate) {
        return rate.orElse(0) >= 0 && rate.orElse(0) <= 1_000_000;
    }

    private static boolean isBurst(OptionalInt burst) {
        return burst.orElse(1) >= 1 && burst.orElse(1) <= 10_000_000;
    }
}
