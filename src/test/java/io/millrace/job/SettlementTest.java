package io.millrace.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(ReplaceUnderscores.class)
class SettlementTest {

    static final Failure FAILURE = new Failure(FailureReason.REJECTED, "Error", "message", null, null);

    static final Map<Settlement, JobTransition> TRANSITIONS = Map.of(
            new Settlement.Complete(null, List.of()), JobTransition.COMPLETED,
            new Settlement.RetryAfter(Duration.ZERO, FAILURE), JobTransition.RETRIED,
            new Settlement.Postpone(Duration.ZERO), JobTransition.SNOOZED,
            new Settlement.DeadLetter(FAILURE), JobTransition.DEAD_LETTERED,
            new Settlement.Release(), JobTransition.RELEASED,
            new Settlement.Cancel(), JobTransition.CANCELLED);

    @Test
    void every_settlement_writes_a_change_that_is_legal_for_a_running_job() {
        TRANSITIONS.forEach((settlement, transition) -> {
            assertThat(settlement.transition()).isEqualTo(transition);
            assertThat(transition.isLegalFrom(JobState.PROCESSING)).isTrue();
        });
    }

    /** At release 17 no switch proves it. */
    @Test
    void no_settlement_is_forgotten_here() {
        assertThat(TRANSITIONS.keySet()).extracting(Object::getClass)
                .containsExactlyInAnyOrder(Settlement.class.getPermittedSubclasses());
    }
}
