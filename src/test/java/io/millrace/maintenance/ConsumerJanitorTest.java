package io.millrace.maintenance;

import static io.millrace.maintenance.RepairCrew.pass;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import io.millrace.worker.WorkerProcess;

class ConsumerJanitorTest extends RepairTest {

    @BeforeEach
    void one_consumer_has_a_pending_entry_and_two_have_none() {
        servers.deliverToTheDead(servers.insertReady());
        servers.redis("XGROUP CREATECONSUMER {q}:normal workers gone", "XGROUP CREATECONSUMER {q}:high workers gone");
    }

    private int trim(String idle) {
        try (WorkerProcess process = new WorkerProcess(servers, null, "millrace.maintenance.trim-idle", idle)) {
            return pass(crewOf(process).janitor.trimConsumers());
        }
    }

    private static List<String> consumers(String stream) {
        return servers.redis("XINFO CONSUMERS " + stream + " workers").stream().filter(List.of("gone", "dead-worker")::contains)
                .toList();
    }

    @Test
    void consumers_that_were_idle_for_long_are_deleted_and_those_with_pending_entries_kept() {
        assertThat(trim("0s")).isEqualTo(2);
        assertThat(consumers("{q}:normal")).containsExactly("dead-worker");
        assertThat(consumers("{q}:high")).isEmpty();
        assertThat(servers.pendingOf("dead-worker")).isOne();
    }

    @Test
    void consumers_that_were_idle_for_a_moment_are_kept() {
        assertThat(trim("1h")).isZero();
        assertThat(consumers("{q}:normal")).containsExactlyInAnyOrder("dead-worker", "gone");
    }

    @Test
    void a_queue_that_redis_does_not_know_is_no_failure() {
        servers.redis("FLUSHDB");
        assertThat(trim("0s")).isZero();
    }
}
