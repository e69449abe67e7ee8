package io.millrace.job;

import static io.millrace.job.JobState.CANCELLED;
import static io.millrace.job.JobState.COMPLETED;
import static io.millrace.job.JobState.FAILED;
import static io.millrace.job.JobState.PENDING;
import static io.millrace.job.JobState.PROCESSING;
import static io.millrace.job.JobState.RETRYING;
import static io.millrace.job.JobState.SCHEDULED;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@DisplayNameGeneration(ReplaceUnderscores.class)
class JobTransitionTest {

    /** Said once more, by hand: a change of the table has to be meant. */
    static final Map<JobState, Set<JobState>> LEGAL = Map.of(
            SCHEDULED, Set.of(PROCESSING, PENDING, CANCELLED),
            PENDING, Set.of(PROCESSING, CANCELLED),
            PROCESSING, Set.of(PROCESSING, PENDING, COMPLETED, RETRYING, SCHEDULED, FAILED, CANCELLED),
            RETRYING, Set.of(PROCESSING, PENDING, CANCELLED),
            COMPLETED, Set.of(),
            FAILED, Set.of(PENDING),
            CANCELLED, Set.of(PENDING));

    @ParameterizedTest
    @EnumSource
    void exactly_the_listed_changes_are_legal(JobState before) {
        for (JobState after : JobState.values()) {
            assertThat(JobTransition.isLegal(before, after)).as("%s to %s", before, after)
                    .isEqualTo(LEGAL.get(before).contains(after));
        }
    }

    @Test
    void a_completed_job_never_changes() {
        assertThat(JobTransition.values()).noneMatch(transition -> transition.isLegalFrom(COMPLETED));
    }

    @Test
    void an_ended_job_changes_by_a_replay_alone() {
        assertThat(JobTransition.values())
                .filteredOn(transition -> transition.from().stream().anyMatch(JobState::isTerminal))
                .containsExactly(JobTransition.REPLAYED);
    }

    @ParameterizedTest
    @EnumSource(names = {"SCHEDULED", "PENDING"})
    void every_state_can_be_reached_from_a_new_job(JobState accepted) {
        Set<JobState> reached = EnumSet.of(accepted);
        while (Arrays.stream(JobTransition.values())
                .anyMatch(transition -> reached.stream().anyMatch(transition::isLegalFrom) && reached.add(transition.to()))) {
            // once more, from where that led to
        }
        assertThat(reached).containsExactlyInAnyOrder(JobState.values());
    }

    @ParameterizedTest
    @EnumSource
    void only_a_worker_that_holds_the_job_can_end_it_except_for_a_cancel(JobTransition transition) {
        if (transition.to().isTerminal() && transition != JobTransition.CANCELLED) {
            assertThat(transition.from()).containsExactly(PROCESSING);
        }
    }
}
