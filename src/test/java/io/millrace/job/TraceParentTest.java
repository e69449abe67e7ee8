package io.millrace.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import java.util.UUID;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayNameGeneration(ReplaceUnderscores.class)
class TraceParentTest {
    private static final String HEADER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    private static final TraceParent PARENT = TraceParent.parse(HEADER);

    @Test
    void what_is_written_is_read_again() {
        assertThat(PARENT).isEqualTo(new TraceParent("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"));
        assertThat(PARENT.header()).isEqualTo(HEADER);
    }

    @ParameterizedTest
    @NullSource
    @ValueSource(strings = {"", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more"})
    void anything_else_is_no_place_in_a_trace(String header) {
        assertThat(TraceParent.parse(header)).isNull();
    }

    /** Two workers, even of two versions, must come to the same: a change of the formula would lead links nowhere. */
    @Test
    void the_span_of_an_attempt_is_the_same_wherever_it_is_computed() {
        UUID job = UUID.fromString("0190a8c4-7e4f-7000-8d0c-52b9f0b1c1aa");

        assertThat(PARENT.ofAttempt(job, 1)).isEqualTo(PARENT.ofAttempt(job, 1));
        assertThat(PARENT.ofAttempt(job, 1).traceId()).isEqualTo(PARENT.traceId());
        assertThat(PARENT.ofAttempt(job, 1).spanId()).isEqualTo("895a9cfcd1e3e854");
        assertThat(PARENT.ofAttempt(job, 2).spanId()).isEqualTo("dc6c854b2ec9cff0");
    }

    @Test
    void no_two_attempts_have_the_same_span() {
        JobIds ids = new JobIds();
        Set<String> spans = new HashSet<>();
        for (int i = 0; i < 10_000; i++) {
            UUID job = ids.next();
            for (int epoch = 1; epoch <= 10; epoch++) {
                spans.add(PARENT.ofAttempt(job, epoch).spanId());
            }
        }

        assertThat(spans).hasSize(100_000).allMatch(span -> span.matches("[0-9a-f]{16}"));
    }
}
