package io.millrace.egress;

import java.time.Duration;
import java.util.Optional;
import java.util.Set;

import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import jakarta.validation.constraints.AssertTrue;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotEmpty;

/** What calls to addresses that users name may reach, and how long they may take. */
@ConfigMapping(prefix = "millrace.egress")
public interface EgressConfig {

    /**
     * Hosts that may have private or loopback addresses and any port: {@code host} for every port, {@code host:port} for one.
     * Meant for development and for receivers inside your own network; whoever may hand in a job can reach them. Default: none.
     */
    Optional<Set<String>> openHosts();

    /** Ports that may be called on all other hosts. Default 80 and 443. */
    @WithDefault("80,443")
    @NotEmpty
    Set<@Min(1) @Max(65535) Integer> allowedPorts();

    /** How long to look up a name, and again how long to connect. Default 3 s, 100 ms to 1 min. */
    @WithDefault("3s")
    @DurationMin(millis = 100)
    @DurationMax(minutes = 1)
    Duration connectTimeout();

    /** How long to wait for the first byte of the answer, and for each next one. Default 10 s, 100 ms to 5 min. */
    @WithDefault("10s")
    @DurationMin(millis = 100)
    @DurationMax(minutes = 5)
    Duration idleTimeout();

    /** How long one call may take from look-up to last byte, redirects included. Default 30 s, 100 ms to 10 min. */
    @WithDefault("30s")
    @DurationMin(millis = 100)
    @DurationMax(minutes = 10)
    Duration totalTimeout();

    /** How many redirects to follow; the target of each is checked like the first address. Default 3, 0 to 10. */
    @WithDefault("3")
    @Min(0)
    @Max(10)
    int maxRedirects();

    /** Most connections at a time to one address and port; further calls wait within their total time. Default 20, 1 to 1000. */
    @WithDefault("20")
    @Min(1)
    @Max(1000)
    int maxConnectionsPerHost();

    @AssertTrue(message = "total-timeout must be at least connect-timeout, or no slow host is ever reached")
    default boolean isTotalLongEnough() {
        return totalTimeout().compareTo(connectTimeout()) >= 0;
    }
}
