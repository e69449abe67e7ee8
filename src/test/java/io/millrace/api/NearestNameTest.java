package io.millrace.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayNameGeneration(ReplaceUnderscores.class)
class NearestNameTest {

    static final List<String> KNOWN = List.of("payload", "priority", "queue", "runAt", "timeout");

    @ParameterizedTest
    @CsvSource({"payload, payload", "PAYLOAD, payload", "paylod, payload", "payloads, payload", "ueueq, queue", "run_at, runAt",
            "time-out, timeout", "prio, priority"})
    void the_name_with_the_fewest_changes_was_meant(String name, String nearest) {
        assertThat(NearestName.of(name, KNOWN)).isEqualTo(nearest);
    }

    @Test
    void of_names_equally_near_the_first_in_the_alphabet_is_told() {
        assertThat(NearestName.of("b", List.of("c", "a"))).isEqualTo("a");
    }

    @Test
    void a_name_without_end_is_compared_by_its_beginning() {
        assertThat(NearestName.of("x".repeat(10_000_000), KNOWN)).isIn(KNOWN);
    }

    @Test
    void where_nothing_is_known_there_is_no_guess() {
        assertThat(NearestName.of("a", List.of())).isEmpty();
    }
}
