package io.millrace.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import io.millrace.support.TestConfig;

@DisplayNameGeneration(ReplaceUnderscores.class)
class DatabaseConfigTest {

    private static List<String> faults(String name, String value) {
        return TestConfig.faults(DatabaseConfig.class,
                Map.of("millrace.database.url", "postgresql://u:p@h/d", "millrace.database." + name, value));
    }

    @Test
    void the_defaults_are_good() {
        assertThat(faults("query-timeout", "3s")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"connect-timeout", "acquire-timeout", "statement-timeout", "query-timeout"})
    void a_timeout_that_nothing_could_keep_is_refused(String name) {
        assertThat(faults(name, "99ms")).containsExactly("every timeout of millrace.database must be at least 100ms");
        assertThat(faults(name, "100ms")).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"silence-timeout, 10s", "silence-timeout, 11m", "statement-timeout, 15s", "query-timeout, 20s"})
    void a_connection_is_not_closed_while_a_statement_may_still_run(String name, String value) {
        assertThat(faults(name, value)).singleElement().asString()
                .startsWith("millrace.database.silence-timeout must be longer");
    }
}
