package io.millrace.worker;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

import io.millrace.job.JobState;
import io.millrace.worker.Claimer.Refusal;

@DisplayNameGeneration(ReplaceUnderscores.class)
class ClaimerTest {

    @ParameterizedTest
    @CsvSource({"PENDING, LEAVE", "PROCESSING, LEAVE", "SCHEDULED, PARK", "RETRYING, PARK", "COMPLETED, DROP", "FAILED, DROP",
            "CANCELLED, DROP"})
    void an_entry_whose_job_was_not_claimed_is_treated_by_the_state_of_the_job(JobState state, Refusal refusal) {
        assertThat(Refusal.of(state)).isEqualTo(refusal);
    }

    @Test
    void an_entry_of_an_unknown_job_stays_because_the_job_may_not_be_visible_yet() {
        assertThat(Refusal.of(null)).isEqualTo(Refusal.DROP_IF_OLD);
    }

    @ParameterizedTest
    @EnumSource
    void only_an_entry_whose_job_has_ended_is_dropped(JobState state) {
        assertThat(Refusal.of(state) == Refusal.DROP).isEqualTo(state.isTerminal());
    }
}
