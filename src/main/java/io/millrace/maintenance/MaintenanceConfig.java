package io.millrace.maintenance;

import java.time.Duration;
import java.util.stream.Stream;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

import jakarta.validation.constraints.AssertTrue;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;

/** The chores that run beside the flow of jobs. How often each runs is set by {@code millrace.maintenance.<chore>-every}, 1 s to 1 day. */
@ConfigMapping(prefix = "millrace.maintenance")
public interface MaintenanceConfig {
    /** A step of a chore that takes longer is given up; the chore starts anew at its next tick. 1 s to 1 min. */
    @WithDefault("15s")
    Duration stepTimeout();

    /** How often the relay looks for ready jobs that are on no stream. */
    @WithDefault("1s")
    Duration relayEvery();

    /** Most jobs in one step of the relay; no more than half a dispatch window. 1 to 10,000. */
    @WithDefault("1000")
    @Min(1)
    @Max(10_000)
    int relayItems();

    /** How often the loader brings the next scheduled jobs into the delayed set. */
    @WithDefault("60s")
    Duration loadEvery();

    /** How often a process looks into the delayed sets it did not fill itself. The latest a promotion is late by. */
    @WithDefault("1s")
    Duration promoteEvery();

    /** How often a worker sweeps its streams for entries that were delivered and never finished. */
    @WithDefault("15s")
    Duration reclaimEvery();

    /** An entry that was neither finished nor renewed for so long is stuck. Longer than a lease. */
    @WithDefault("60s")
    Duration reclaimIdle();

    /** Most entries in one step of a sweep. 1 to 1,000. */
    @WithDefault("100")
    @Min(1)
    @Max(1_000)
    int reclaimItems();

    /** How often jobs are taken back whose lease ran out. */
    @WithDefault("10s")
    Duration reapEvery();

    /** How often PostgreSQL is compared with the streams. */
    @WithDefault("30s")
    Duration reconcileEvery();

    /** A job counts as forgotten by Redis if it should have been delivered this long ago: longer than idle and sweep together. */
    @WithDefault("90s")
    Duration reconcileMargin();

    /** How often consumers are deleted whose process is gone, and entries that belong to no consumer any more. */
    @WithDefault("10m")
    Duration trimEvery();

    /** A consumer without pending entries that was idle for so long belongs to a process that is gone. */
    @WithDefault("1h")
    Duration trimIdle();

    /** How often jobs are counted for the metrics, by one process for all. */
    @WithDefault("15s")
    Duration censusEvery();

    @AssertTrue(message = "relay-, load-, promote-, reclaim-, reap-, reconcile-, trim- and census-every of millrace.maintenance must be "
            + "1s to 24h each: what one of them repairs waits for it")
    default boolean isEveryIntervalInBounds() {
        return Stream.of(relayEvery(), loadEvery(), promoteEvery(), reclaimEvery(), reapEvery(), reconcileEvery(), trimEvery(),
                censusEvery())
                .allMatch(every -> every.toMillis() >= 1_000 && every.compareTo(Duration.ofHours(24)) <= 0);
    }

    @AssertTrue(message = "millrace.maintenance.step-timeout must be 1s to 1m")
    default boolean isStepTimeoutSane() {
        return stepTimeout().toMillis() >= 1_000 && stepTimeout().toSeconds() <= 60;
    }
}
