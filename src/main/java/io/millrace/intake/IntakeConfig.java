package io.millrace.intake;

import java.time.Duration;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;

/** How jobs are accepted. */
@ConfigMapping(prefix = "millrace.intake")
public interface IntakeConfig {
    /** Most jobs in one INSERT. 1 to 10,000. */
    @WithDefault("500")
    @Min(1)
    @Max(10_000)
    int batchItems();

    /** Most bytes of payload in one INSERT. */
    @WithDefault("4194304")
    @Min(1)
    long batchBytes();

    /** Most jobs that may wait for their INSERT; one more is answered 503. */
    @WithDefault("20000")
    @Min(1)
    @Max(1_000_000)
    int waiting();

    /** Most bytes of payload that may wait for their INSERT; one more job is answered 503. */
    @WithDefault("67108864")
    @Min(1)
    long waitingBytes();

    /** An INSERT that takes longer is answered 503: its outcome is unknown. A job that waited as long for its INSERT is not stored. */
    @WithDefault("10s")
    Duration timeout();
}
