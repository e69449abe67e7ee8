package io.millrace.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.fail;

import java.time.Duration;
import java.util.function.DoubleSupplier;
import java.util.stream.IntStream;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

import io.millrace.job.Backoff.Curve;
import io.millrace.job.Backoff.Jitter;

@DisplayNameGeneration(ReplaceUnderscores.class)
class BackoffTest {

    static final Duration SECOND = Duration.ofSeconds(1);
    static final Duration HOUR = Duration.ofHours(1);
    static final DoubleSupplier NO_CHANCE = () -> fail("without jitter nobody asks for a random number");

    static Backoff with(Curve curve, Jitter jitter) {
        return new Backoff(curve, SECOND.multipliedBy(10), HOUR, jitter);
    }

    @Test
    void by_default_the_wait_doubles_from_one_second_and_can_be_predicted() {
        assertThat(IntStream.rangeClosed(1, 5).mapToObj(failures -> Backoff.DEFAULT.delayAfter(failures, NO_CHANCE)))
                .containsExactly(SECOND, SECOND.multipliedBy(2), SECOND.multipliedBy(4), SECOND.multipliedBy(8),
                        SECOND.multipliedBy(16));
    }

    @ParameterizedTest
    @CsvSource({"12, 2048", "13, 3600", "100, 3600", "1000, 3600", "2147483647, 3600"})
    void no_wait_is_longer_than_the_cap_however_often_the_job_failed(int failures, long seconds) {
        assertThat(Backoff.DEFAULT.delayAfter(failures, NO_CHANCE)).isEqualTo(Duration.ofSeconds(seconds));
    }

    @Test
    void the_longest_base_does_not_overflow() {
        Backoff longest = new Backoff(Curve.EXPONENTIAL, Backoff.LONGEST, Backoff.LONGEST, Jitter.NONE);
        assertThat(longest.delayAfter(1_000, NO_CHANCE)).isEqualTo(Backoff.LONGEST);
    }

    @Test
    void a_fixed_wait_is_the_same_every_time() {
        Backoff fixed = with(Curve.FIXED, Jitter.NONE);
        assertThat(fixed.delayAfter(1, NO_CHANCE)).isEqualTo(fixed.delayAfter(50, NO_CHANCE)).isEqualTo(Duration.ofSeconds(10));
    }

    @ParameterizedTest
    @CsvSource({"0, 20", "0.5, 30", "1, 40"})
    void equal_jitter_spreads_the_wait_over_its_second_half(double random, long seconds) {
        assertThat(with(Curve.EXPONENTIAL, Jitter.EQUAL).delayAfter(3, () -> random)).isEqualTo(Duration.ofSeconds(seconds));
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "0.5, 20", "1, 40"})
    void full_jitter_spreads_the_wait_over_all_of_it(double random, long seconds) {
        assertThat(with(Curve.EXPONENTIAL, Jitter.FULL).delayAfter(3, () -> random)).isEqualTo(Duration.ofSeconds(seconds));
    }

    @ParameterizedTest
    @EnumSource
    void jitter_never_exceeds_the_cap(Jitter jitter) {
        assertThat(with(Curve.EXPONENTIAL, jitter).delayAfter(1_000, () -> 1)).isEqualTo(HOUR);
    }

    @ParameterizedTest
    @EnumSource
    void a_base_of_zero_means_at_once(Jitter jitter) {
        Backoff atOnce = new Backoff(Curve.EXPONENTIAL, Duration.ZERO, Duration.ZERO, jitter);
        assertThat(atOnce.delayAfter(2_000, () -> 0.5)).isZero();
    }

    @Test
    void there_is_no_wait_before_the_first_failure() {
        assertThatIllegalArgumentException().isThrownBy(() -> Backoff.DEFAULT.delayAfter(0, NO_CHANCE))
                .withMessageContaining("failures must be at least 1, not 0");
    }

    @ParameterizedTest
    @CsvSource({"-PT1S, PT1H, base", "P31D, P31D, base", "PT2S, PT1S, cap", "PT1S, P30DT1S, cap"})
    void settings_out_of_bounds_are_refused_by_name(Duration base, Duration cap, String name) {
        assertThatIllegalArgumentException().isThrownBy(() -> new Backoff(Curve.FIXED, base, cap, Jitter.NONE))
                .withMessageStartingWith(name + " must be");
    }

    @ParameterizedTest
    @EnumSource
    void labels_name_the_values(Jitter jitter) {
        assertThat(Jitter.labelled(jitter.label())).contains(jitter);
        assertThat(Curve.labelled("exponential")).contains(Curve.EXPONENTIAL);
        assertThat(Curve.labelled("EXPONENTIAL")).isEmpty();
        assertThat(Jitter.labelled("some")).isEmpty();
    }
}
