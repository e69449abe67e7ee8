package io.millrace.job;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayNameGeneration(ReplaceUnderscores.class)
class JobStateTest {

    /** The codes are stored: the check and the partial indexes of the job table name them. */
    @ParameterizedTest
    @CsvSource({"SCHEDULED, 0, false", "RETRYING, 0, false", "PENDING, 1, false", "PROCESSING, 1, false", "COMPLETED, 2, true",
            "FAILED, 2, true", "CANCELLED, 2, true"})
    void a_state_has_its_phase_and_is_terminal_once_the_job_has_ended(JobState state, int phase, boolean isTerminal) {
        assertThat(state.phase().code()).isEqualTo(phase);
        assertThat(state.isTerminal()).isEqualTo(isTerminal);
    }

    @Test
    void states_are_found_in_any_case() {
        assertThat(JobState.named("Pending")).contains(JobState.PENDING);
        assertThat(JobState.named("waiting")).isEmpty();
    }

    @Test
    void priorities_keep_their_codes_because_they_are_stored_and_sorted_by() {
        assertThat(Priority.values()).containsExactly(Priority.HIGH, Priority.NORMAL, Priority.LOW);
        for (Priority priority : Priority.values()) {
            assertThat(Priority.ofCode(priority.code())).isEqualTo(priority);
            assertThat(Priority.labelled(priority.label())).contains(priority);
        }
    }
}
