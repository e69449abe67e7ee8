package io.millrace.egress;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayNameGeneration(ReplaceUnderscores.class)
class RetryAfterTest {

    static final Instant NOW = Instant.parse("2026-03-02T12:00:00Z");

    @ParameterizedTest
    @CsvSource(value = {"120;PT2M", "0;PT0S", "' 5 ';PT5S", "Mon, 02 Mar 2026 12:01:30 GMT;PT1M30S",
            "Mon, 02 Mar 2026 11:00:00 GMT;PT0S", "1000000000000;PT24H", "99999999999999999999;PT24H", "100000;PT24H",
            "Fri, 31 Dec 9999 23:59:59 GMT;PT24H"}, delimiter = ';')
    void seconds_and_dates_are_understood_up_to_a_day(String header, Duration wait) {
        assertThat(RetryAfter.parse(header, NOW)).contains(wait);
    }

    @ParameterizedTest
    @CsvSource(value = {"null", "''", "soon", "-1", "1.5", "1e12", "\u0661\u0662"}, nullValues = "null")
    void what_cannot_be_read_counts_as_absent(String header) {
        assertThat(RetryAfter.parse(header, NOW)).isEmpty();
    }
}
