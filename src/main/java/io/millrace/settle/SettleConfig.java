package io.millrace.settle;

import java.time.Duration;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;

/** How the ends of attempts are recorded. */
@ConfigMapping(prefix = "millrace.settle")
public interface SettleConfig {
    /** Most jobs in one UPDATE. 1 to 10,000. */
    @WithDefault("500")
    @Min(1)
    @Max(10_000)
    int batchItems();

    /** Most characters of results in one UPDATE. */
    @WithDefault("4194304")
    @Min(1)
    long batchBytes();

    /** Most bytes of results that may wait for their UPDATE; an attempt that finds it full is recorded a little later. */
    @WithDefault("67108864")
    @Min(1)
    long waitingBytes();

    /** A write that takes longer is repeated. */
    @WithDefault("10s")
    Duration timeout();

    /** Most characters of a result as JSON; a job with a larger one is rejected. 1,024 to 16,777,216. */
    @WithDefault("262144")
    @Min(1_024)
    @Max(16_777_216)
    int maxResult();
}
