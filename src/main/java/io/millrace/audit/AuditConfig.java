package io.millrace.audit;

import java.time.Duration;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

import jakarta.validation.constraints.AssertTrue;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;

/** The log of who did what. */
@ConfigMapping(prefix = "millrace.audit")
public interface AuditConfig {
    /** A row is deleted when it is so old. 1 h to 3650 d. */
    @WithDefault("90d")
    Duration retention();

    /**
     * Failed logins that a process writes down in a minute, and again as many with names that nobody has; those beyond are counted. 1 to
     * 10,000.
     */
    @WithDefault("20")
    @Min(1)
    @Max(10_000)
    int failuresPerMinute();

    @AssertTrue(message = "millrace.audit.retention must be 1h to 3650d")
    default boolean isRetentionInBounds() {
        return retention().compareTo(Duration.ofHours(1)) >= 0 && retention().compareTo(Duration.ofDays(3_650)) <= 0;
    }
}
