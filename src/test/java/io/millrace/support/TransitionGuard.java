package io.millrace.support;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.stream.Collectors;

import io.millrace.job.JobTransition;

/** The trigger {@code job_transition_guard}: PostgreSQL itself refuses changes that {@link JobTransition} does not list. */
public final class TransitionGuard {

    private static final String SCRIPT = "/db/job_transition_guard.sql";

    private TransitionGuard() {}

    /** @param databaseUrl of a database whose schema is up to date */
    public static void install(String databaseUrl) {
        try (Connection connection = TestServers.connect(databaseUrl); Statement statement = connection.createStatement()) {
            statement.execute(script().replace("{legal}", legal()));
        } catch (SQLException e) {
            throw new IllegalStateException(SCRIPT, e);
        }
    }

    private static String legal() {
        return Arrays.stream(JobTransition.values())
                .flatMap(transition -> transition.from().stream()
                        .map(from -> "('" + from + "', '" + transition.to() + "')"))
                .distinct().sorted().collect(Collectors.joining(", "));
    }

    private static String script() {
        try (InputStream in = TransitionGuard.class.getResourceAsStream(SCRIPT)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
