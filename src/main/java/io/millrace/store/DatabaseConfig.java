package io.millrace.store;

import java.time.Duration;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;

import jakarta.validation.constraints.AssertTrue;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;

/** How this process talks to PostgreSQL. Connections in all: {@link #engineConnections} + {@link #queryConnections} + 1,
 * and {@link #adminConnections} more where the API is served. */
@ConfigMapping(prefix = "millrace.database")
public interface DatabaseConfig {
    /** {@code postgresql://user:password@host:port/database}. */
    String url();

    /** Connections for accepting, claiming and settling jobs. 1 to 100. */
    @WithDefault("6")
    @Min(1)
    @Max(100)
    int engineConnections();

    /** Connections for reading jobs over the API. 1 to 100. */
    @WithDefault("4")
    @Min(1)
    @Max(100)
    int queryConnections();

    /** Connections for accounts, sessions and API keys. 1 to 100. */
    @WithDefault("2")
    @Min(1)
    @Max(100)
    int adminConnections();

    /** How long a connection may take to open. */
    @WithDefault("5s")
    Duration connectTimeout();

    /** How long a statement may wait for a free connection before it fails. */
    @WithDefault("2s")
    Duration acquireTimeout();

    /** The server cancels an engine statement that takes longer. */
    @WithDefault("10s")
    Duration statementTimeout();

    /** A connection on which nothing was heard for so long is closed. Longer than the statement timeout. 1 s to 10 min. */
    @WithDefault("15s")
    Duration silenceTimeout();

    /** The server cancels a query of the API that takes longer; the caller is told how to narrow it. */
    @WithDefault("3s")
    Duration queryTimeout();

    @AssertTrue(message = "every timeout of millrace.database must be at least 100ms")
    default boolean isEveryTimeoutLongEnough() {
        return java.util.stream.Stream.of(connectTimeout(), acquireTimeout(), statementTimeout(), queryTimeout())
                .allMatch(timeout -> timeout.toMillis() >= 100);
    }

    @AssertTrue(message = "millrace.database.silence-timeout must be longer than statement-timeout and query-timeout, and at most 10m")
    default boolean isSilenceLongerThanStatements() {
        return silenceTimeout().compareTo(statementTimeout()) > 0 && silenceTimeout().compareTo(queryTimeout()) > 0
                && silenceTimeout().toMinutes() <= 10;
    }
}
