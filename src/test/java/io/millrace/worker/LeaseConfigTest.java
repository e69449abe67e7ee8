package io.millrace.worker;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import io.millrace.support.TestConfig;

@DisplayNameGeneration(ReplaceUnderscores.class)
class LeaseConfigTest {

    private static List<String> faults(String duration, String heartbeat, String stopAfter) {
        return TestConfig.faults(LeaseConfig.class,
                Map.of("millrace.lease.duration", duration, "millrace.lease.heartbeat", heartbeat,
                        "millrace.lease.stop-after", stopAfter));
    }

    @Test
    void the_defaults_are_good() {
        assertThat(TestConfig.faults(LeaseConfig.class, Map.of())).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"1s, 100ms, 900ms", "30s, 10s, 20s", "59m, 1m, 30m"})
    void times_that_leave_room_for_a_late_beat_are_good(String duration, String heartbeat, String stopAfter) {
        assertThat(faults(duration, heartbeat, stopAfter)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
            "30s, 11s, 21s", // two beats do not fit
            "30s, 10s, 25s", // noticed no sooner than the lease is over
            "30s, 10s, 31s",
            "999ms, 100ms, 300ms", "1h, 10s, 21s"})
    void times_that_let_two_workers_run_a_job_are_refused(String duration, String heartbeat, String stopAfter) {
        assertThat(faults(duration, heartbeat, stopAfter)).singleElement().asString()
                .startsWith("millrace.lease must have heartbeat * 2 <= stop-after");
    }

    @ParameterizedTest
    @CsvSource({"0", "101"})
    void a_lost_limit_out_of_bounds_is_refused(String limit) {
        assertThat(TestConfig.faults(LeaseConfig.class, Map.of("millrace.lease.lost-limit", limit))).hasSize(1);
    }
}
