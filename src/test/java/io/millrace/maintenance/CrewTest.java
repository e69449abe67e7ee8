package io.millrace.maintenance;

import static io.millrace.worker.JobServers.QUEUE;
import static io.millrace.worker.JobServers.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.UUID;

import org.junit.jupiter.api.Test;

class CrewTest extends RepairTest {
    private static final Duration BEFORE_THE_NEXT_TICK = Duration.ofSeconds(3);

    @Test
    void a_sign_of_loss_brings_load_and_comparison_forward() {
        UUID overdue = servers.insert("RETRYING", 1, "now() - interval '2 seconds'", "null", "t");
        servers.insert("SCHEDULED", 1, "now() + interval '1 minute'", "null", "t");
        crew.crew.start();

        for (int i = 0; i < 100; i++) {
            crew.reconciler.hurry(QUEUE);
        }
        await().atMost(BEFORE_THE_NEXT_TICK).untilAsserted(() -> {
            assertThat(servers.number("ZCARD {q}:delayed")).isOne();
            assertThat(servers.job(overdue, "state, dispatched_at")).isEqualTo("PENDING null");
        });
    }

    @Test
    void a_crew_that_has_not_started_does_nothing() {
        UUID overdue = servers.insert("RETRYING", 1, "now() - interval '2 seconds'", "null", "t");
        crew.reconciler.hurry(QUEUE);

        await().pollDelay(Duration.ofSeconds(2)).untilAsserted(
                () -> assertThat(servers.job(overdue, "state")).isEqualTo("RETRYING"));
    }
}
