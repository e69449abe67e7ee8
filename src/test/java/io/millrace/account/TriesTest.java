package io.millrace.account;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.time.Duration;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

import io.millrace.support.TestClock;

@DisplayNameGeneration(ReplaceUnderscores.class)
class TriesTest {

    private final TestClock clock = new TestClock();
    private final Tries tries = new Tries(clock, 3, Duration.ofMinutes(5));

    private RefusedException refusal(String key) {
        return catchThrowableOfType(RefusedException.class, () -> tries.begin(key));
    }

    private void begin(String key, int times) {
        for (int i = 0; i < times; i++) {
            tries.begin(key);
        }
    }

    @Test
    void the_first_few_pass_and_the_next_is_told_when_to_come_back() {
        begin("a", 3);
        clock.advance(Duration.ofSeconds(60));
        RefusedException refusal = refusal("a");
        assertThat(refusal.reason()).isEqualTo(RefusedException.Reason.TOO_MANY_TRIES);
        assertThat(refusal.retryAfter()).isEqualTo(Duration.ofMinutes(4));
        assertThat(refusal("b")).isNull();
    }

    @Test
    void a_window_later_they_pass_again() {
        begin("a", 3);
        clock.advance(Duration.ofSeconds(300));
        assertThat(refusal("a")).isNull();
    }

    @Test
    void what_was_no_failure_does_not_count() {
        for (int i = 0; i < 100; i++) {
            tries.begin("a");
            tries.takeBack("a");
        }
        begin("a", 3);
        assertThat(refusal("a")).isNotNull();
    }

    @Test
    void however_many_names_are_tried_the_memory_is_bounded() {
        for (int i = 0; i < 50_000; i++) {
            tries.begin("name-" + i);
        }
        assertThat(tries.size()).isEqualTo(10_000);
    }

    @Test
    void whoever_has_an_IPv6_address_has_all_of_its_network() {
        assertThat(Address.network("2001:db8:1:2::1")).isEqualTo(Address.network("2001:db8:1:2:ffff::9"))
                .isNotEqualTo(Address.network("2001:db8:1:3::1"));
        assertThat(Address.network("10.0.0.1")).isNotEqualTo(Address.network("10.0.0.2"));
    }
}
