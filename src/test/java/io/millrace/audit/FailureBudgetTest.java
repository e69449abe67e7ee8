package io.millrace.audit;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

import io.millrace.support.TestClock;

@DisplayNameGeneration(ReplaceUnderscores.class)
class FailureBudgetTest {
    private final TestClock clock = new TestClock();
    private final FailureBudget budget = new FailureBudget(clock, 3);

    @Test
    void a_minute_has_so_many_rows_and_the_next_one_tells_what_was_left_out() {
        for (int i = 0; i < 3; i++) {
            assertThat(budget.take()).hasValue(0);
        }
        for (int i = 0; i < 1_000; i++) {
            assertThat(budget.take()).isEmpty();
        }
        clock.advance(Duration.ofMinutes(1));
        assertThat(budget.take()).hasValue(1_000);
        assertThat(budget.take()).hasValue(0);
    }
}
