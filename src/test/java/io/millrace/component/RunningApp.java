package io.millrace.component;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.UUID;

import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.eclipse.microprofile.config.ConfigProvider;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Timeout;

import io.millrace.support.Api;
import io.millrace.support.QuarkusServers;
import io.millrace.support.Streams;
import io.millrace.support.TestServers;
import io.quarkus.test.common.QuarkusTestResource;

/** The application, in mode all, on servers of its own: one start for all tests that extend this. */
@QuarkusTestResource(QuarkusServers.class)
@Timeout(120)
@DisplayNameGeneration(ReplaceUnderscores.class)
abstract class RunningApp {

    /** Far longer than anything here takes on a quiet machine. */
    static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Duration POLL = Duration.ofMillis(20);

    static final String DEFAULT = "default";

    final Api api = new Api("http://localhost:" + ConfigProvider.getConfig().getValue("quarkus.http.test-port", String.class));
    final Streams streams = new Streams(setting("millrace.redis.url"));

    static ConditionFactory await() {
        return Awaitility.await().atMost(PATIENCE).pollDelay(Duration.ZERO).pollInterval(POLL);
    }

    static String setting(String key) {
        return ConfigProvider.getConfig().getValue(key, String.class);
    }

    /** @return the first column of the first row, as text */
    static String query(String sql) {
        try (Connection connection = TestServers.connect(setting("millrace.database.url"));
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }

    static void execute(String sql) {
        try (Connection connection = TestServers.connect(setting("millrace.database.url"));
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }

    /** A tag that no other test uses. */
    static String tag() {
        return "t-" + UUID.randomUUID();
    }

    static int countTagged(String tag) {
        return Integer.parseInt(query("select count(*) from job where tags @> array['" + tag + "']"));
    }
}
