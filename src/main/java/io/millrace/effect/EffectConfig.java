package io.millrace.effect;

import java.time.Duration;

import jakarta.validation.constraints.AssertTrue;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

/** How long effects that have a key are remembered. */
@ConfigMapping(prefix = "millrace.effect")
public interface EffectConfig {
    /** An effect that was done so long ago may be done again. 1 min to 3650 d. */
    @WithDefault("30d")
    Duration keep();

    @AssertTrue(message = "millrace.effect.keep must be from 1m to 3650d")
    default boolean isKeptForATime() {
        return keep().compareTo(Duration.ofMinutes(1)) >= 0 && keep().compareTo(Duration.ofDays(3650)) <= 0;
    }
}
