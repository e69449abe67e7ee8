package io.millrace.worker;

import java.time.Duration;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

import jakarta.validation.constraints.AssertTrue;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;

/** How long a worker may hold a job in silence. */
@ConfigMapping(prefix = "millrace.lease")
public interface LeaseConfig {
    /** A job whose worker was silent for this long is given to another. 1 s to 1 h. */
    @WithDefault("30s")
    Duration duration();

    /** How often the leases of running jobs are renewed. */
    @WithDefault("10s")
    Duration heartbeat();

    /** A worker that could not renew a lease for this long stops the job by itself, before another may start it. */
    @WithDefault("21s")
    Duration stopAfter();

    /** A job that so many workers died of is not run again. 1 to 100. */
    @WithDefault("3")
    @Min(1)
    @Max(100)
    int lostLimit();

    @AssertTrue(message = "millrace.lease must have heartbeat * 2 <= stop-after and stop-after + heartbeat / 2 < duration, and duration from 1s to 1h: "
            + "otherwise one late beat loses the job, or two workers run it")
    default boolean isLongEnough() {
        return heartbeat().multipliedBy(2).compareTo(stopAfter()) <= 0
                && stopAfter().plus(heartbeat().dividedBy(2)).compareTo(duration()) < 0
                && duration().toMillis() >= 1_000 && duration().toHours() < 1;
    }
}
