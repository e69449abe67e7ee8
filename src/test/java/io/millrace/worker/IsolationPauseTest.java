package io.millrace.worker;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(ReplaceUnderscores.class)
class IsolationPauseTest {
    private static final long SECOND = 1_000_000_000L;
    private static final Duration PROBATION = Duration.ofSeconds(5);

    private final Isolation isolation = new Isolation(PROBATION, () -> 1.0);

    @Test
    void one_suspect_is_in_until_it_leaves() {
        int first = isolation.enter(0);
        assertThat(first).isNotEqualTo(Isolation.TAKEN);
        assertThat(isolation.enter(SECOND)).isEqualTo(Isolation.TAKEN);

        isolation.leave(first, 2 * SECOND);

        assertThat(isolation.enter(2 * SECOND)).isNotEqualTo(Isolation.TAKEN);
    }

    @Test
    void one_that_has_survived_the_probation_lets_the_next_one_in_and_does_not_put_it_out_when_it_leaves() {
        int first = isolation.enter(0);
        assertThat(isolation.enter(5 * SECOND - 1)).isEqualTo(Isolation.TAKEN);
        int second = isolation.enter(5 * SECOND);
        assertThat(second).isNotEqualTo(Isolation.TAKEN);

        isolation.leave(first, 6 * SECOND);

        assertThat(isolation.enter(7 * SECOND)).as("the second is still on probation").isEqualTo(Isolation.TAKEN);
    }

    @Test
    void without_a_probation_nobody_waits() {
        Isolation none = new Isolation(Duration.ZERO, () -> 1.0);
        assertThat(none.enter(0)).isNotEqualTo(Isolation.TAKEN);
        assertThat(none.enter(0)).isNotEqualTo(Isolation.TAKEN);
    }

    @Test
    void those_who_are_put_off_come_again_spread_over_the_time_that_all_of_them_take() {
        isolation.enter(0);
        assertThat(isolation.pause(0)).isEqualTo(Duration.ofSeconds(1 + 5));
        assertThat(isolation.pause(0)).isEqualTo(Duration.ofSeconds(1 + 10));
        assertThat(isolation.pause(0)).isEqualTo(Duration.ofSeconds(1 + 15));

        assertThat(isolation.pause(12 * SECOND)).as("two have come again").isEqualTo(Duration.ofSeconds(1 + 10));
    }

    @Test
    void where_suspects_are_over_soon_the_next_ones_come_sooner() {
        for (int i = 0; i < 50; i++) {
            isolation.leave(isolation.enter(i * SECOND), i * SECOND + SECOND / 10);
        }
        assertThat(isolation.pause(100 * SECOND)).isLessThan(Duration.ofMillis(1_110));
    }

    @Test
    void nobody_is_put_off_for_longer_than_ten_minutes() {
        isolation.enter(0);
        for (int i = 0; i < 1_000; i++) {
            isolation.pause(0);
        }
        assertThat(isolation.pause(0)).isEqualTo(Duration.ofMinutes(10));
    }
}
