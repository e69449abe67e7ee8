package io.millrace.handler;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

import io.millrace.handler.Cancellation.Cause;

@DisplayNameGeneration(ReplaceUnderscores.class)
class CancellationTest {

    final Cancellation cancellation = new Cancellation();
    final List<Cause> heard = new ArrayList<>();

    @Test
    void it_fires_once_and_the_first_cause_stays() {
        cancellation.onRequest(() -> heard.add(cancellation.cause()));
        assertThat(cancellation.isRequested()).isFalse();

        assertThat(cancellation.request(Cause.TIMED_OUT)).isTrue();
        assertThat(cancellation.request(Cause.SHUTDOWN)).isFalse();
        assertThat(heard).containsExactly(Cause.TIMED_OUT);
    }

    @Test
    void who_listens_late_is_told_at_once() {
        cancellation.request(Cause.CANCELLED);
        cancellation.onRequest(() -> heard.add(cancellation.cause()));
        assertThat(heard).containsExactly(Cause.CANCELLED);
    }

    @Test
    void a_listener_may_ask_again() {
        cancellation.onRequest(() -> cancellation.onRequest(() -> heard.add(cancellation.cause())));
        cancellation.request(Cause.LEASE_LOST);
        assertThat(heard).containsExactly(Cause.LEASE_LOST);
    }
}
