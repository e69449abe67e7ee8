package io.millrace.maintenance;

import java.time.Duration;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;

/** The chores that run beside the flow of jobs. How often each runs is set by {@code millrace.maintenance.<chore>-every}. */
@ConfigMapping(prefix = "millrace.maintenance")
public interface MaintenanceConfig {
    /** How often the relay looks for ready jobs that are on no stream. At least 1 s. */
    @WithDefault("1s")
    Duration relayEvery();

    /** Most jobs in one step of the relay. 1 to 10,000. */
    @WithDefault("500")
    @Min(1)
    @Max(10_000)
    int relayItems();

    /** How often the loader brings the next scheduled jobs into the delayed set. */
    @WithDefault("60s")
    Duration loadEvery();

    /** How often a process looks into the delayed sets it did not fill itself. The latest a promotion is late by. */
    @WithDefault("1s")
    Duration promoteEvery();
}
