package io.millrace.stream;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import io.millrace.support.TestConfig;

@DisplayNameGeneration(ReplaceUnderscores.class)
class StreamConfigTest {

    @ParameterizedTest
    @CsvSource({"append-timeout, 9ms, 10ms", "append-pause, 61s, 60s", "command-timeout, 0s, 1s", "read-block, 2m, 5s"})
    void a_time_that_cannot_be_meant_is_refused(String name, String bad, String good) {
        String key = "millrace.stream." + name;
        assertThat(TestConfig.faults(StreamConfig.class, Map.of(key, bad))).singleElement().asString()
                .contains(name, "10ms to 60s");
        assertThat(TestConfig.faults(StreamConfig.class, Map.of(key, good))).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"dispatch-window, 999", "dispatch-window, 10000001", "dead-letters, -1"})
    void a_number_out_of_bounds_is_refused(String name, String bad) {
        assertThat(TestConfig.faults(StreamConfig.class, Map.of("millrace.stream." + name, bad))).hasSize(1);
    }
}
