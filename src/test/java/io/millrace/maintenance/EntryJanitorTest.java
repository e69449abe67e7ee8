package io.millrace.maintenance;

import static io.millrace.maintenance.RepairCrew.pass;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;

class EntryJanitorTest extends RepairTest {
    private static final int MORE_THAN_ONE_STEP = 1_203;

    @Test
    void entries_whose_consumer_was_deleted_by_hand_are_deleted_and_all_others_kept() {
        servers.deliverToTheDead(servers.insertReady());
        servers.redis("XGROUP DELCONSUMER {q}:normal workers dead-worker");
        servers.deliverToTheDead(servers.insertReady());
        servers.append(servers.insertReady());
        assertThat(servers.length()).isEqualTo(3);

        assertThat(pass(crew.entryJanitor.dropOrphans())).isOne();

        assertThat(servers.length()).as("one pending, one undelivered").isEqualTo(2);
        assertThat(servers.pendingOf("dead-worker")).isOne();
        assertThat(pass(crew.entryJanitor.dropOrphans())).isZero();
    }

    @Test
    void a_pass_walks_to_the_end_of_what_was_delivered() {
        servers.deliverToTheDead(servers.insertReady());
        servers.redis(IntStream.range(0, MORE_THAN_ONE_STEP).mapToObj(i -> "XADD {q}:normal * j " + i).toArray(String[]::new));
        servers.redis("XREADGROUP GROUP workers gone COUNT " + MORE_THAN_ONE_STEP + " STREAMS {q}:normal >",
                "XGROUP DELCONSUMER {q}:normal workers gone");

        assertThat(pass(crew.entryJanitor.dropOrphans())).isEqualTo(MORE_THAN_ONE_STEP);
        assertThat(servers.length()).isOne();
    }

    @Test
    void the_job_of_a_deleted_entry_runs_all_the_same() {
        var id = servers.insertReady();
        servers.deliverToTheDead(id);
        servers.change(id, "dispatched_at = " + LONG_AGO);
        servers.redis("XGROUP DELCONSUMER {q}:normal workers dead-worker");
        pass(crew.entryJanitor.dropOrphans());

        pass(crew.reconciler.reconcile());
        pass(crew.relay.relayOnce());
        process.worker.start();

        assertRuns(id);
    }

    @Test
    void a_queue_that_redis_does_not_know_is_no_failure() {
        servers.redis("FLUSHDB");
        assertThat(pass(crew.entryJanitor.dropOrphans())).isZero();
    }
}
