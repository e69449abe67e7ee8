package io.millrace.worker;

import java.time.Duration;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;

/** How this process runs jobs. */
@ConfigMapping(prefix = "millrace.worker")
public interface WorkerConfig {
    /** Most jobs that run in this process at once; {@code millrace.queues} can bound single queues further. 1 to 10,000. */
    @WithDefault("500")
    @Min(1)
    @Max(10_000)
    int slots();

    /** Most jobs in one claim. 1 to 10,000. */
    @WithDefault("500")
    @Min(1)
    @Max(10_000)
    int claimItems();

    /** A claim that takes longer is repeated with the same lease id. */
    @WithDefault("10s")
    Duration claimTimeout();

    /** At a stop, how long running jobs may finish before they are handed back. 0 to 1 h. */
    @WithDefault("20s")
    Duration drain();

    /**
     * A job that would be given up if one more worker died of it runs alone among its like for so long; then another such job may
     * start in this process. 0 to 1 h.
     */
    @WithDefault("1m")
    Duration probation();

    /** An entry whose job nobody knows is dropped when it is this old: no transaction can still bring the job. */
    @WithDefault("10m")
    Duration unknownAfter();
}
