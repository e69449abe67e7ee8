package io.millrace.maintenance;

import static io.millrace.maintenance.RepairCrew.pass;
import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Test;

import io.millrace.support.TestServers;
import io.millrace.worker.JobServers;
import io.millrace.worker.WorkerProcess;

/** The window is 1,000 entries here, a step of the relay 500. */
class RelayTest extends RepairTest {

    private int relay() {
        return pass(crew.relay.relayOnce());
    }

    private static int length(String stream) {
        return servers.number("XLEN " + stream);
    }

    @Test
    void what_is_ready_is_sent_in_several_rounds_and_marked() {
        servers.insertUndispatched("q", 1, 900);
        List<String> told = new ArrayList<>();
        crew.relay.onRelayed((queue, count) -> told.add(queue + " " + count));

        assertThat(relay()).isEqualTo(900);
        assertThat(told).containsExactly("q 500", "q 400");
        assertThat(length("{q}:normal")).isEqualTo(900);
        assertThat(servers.count("dispatched_at is null")).isZero();
        assertThat(relay()).isZero();
    }

    @Test
    void a_stream_is_filled_to_its_window_and_no_further_until_workers_have_read() {
        servers.insertUndispatched("q", 1, 1_300);

        assertThat(relay()).isEqualTo(1_000);
        assertThat(length("{q}:normal")).isEqualTo(1_000);
        assertThat(servers.count("dispatched_at is null")).isEqualTo(300);
        assertThat(relay()).isZero();

        servers.redis("DEL {q}:normal");
        JobServers.await().untilAsserted(() -> {
            relay(); // once what it knows of the length is old
            assertThat(servers.count("dispatched_at is null")).isZero();
        });
        assertThat(length("{q}:normal")).isEqualTo(300);
    }

    @Test
    void a_full_stream_of_low_priority_holds_nothing_else_back() {
        servers.insertUndispatched("q", 2, 1_200);
        assertThat(relay()).isEqualTo(1_000);
        servers.insertUndispatched("q", 0, 600);
        servers.insertUndispatched("q", 1, 10);

        assertThat(relay()).isEqualTo(610);
        assertThat(length("{q}:high")).isEqualTo(600);
        assertThat(length("{q}:normal")).isEqualTo(10);
        assertThat(length("{q}:low")).isEqualTo(1_000);
    }

    @Test
    void a_queue_whose_stream_is_none_does_not_stop_the_others_and_its_jobs_stay_ready() {
        servers.redis("SET {broken}:normal nonsense");
        servers.insertUndispatched("broken", 1, 20);
        servers.insertUndispatched("a", 1, 30);
        servers.insertUndispatched("z", 1, 700);

        assertThat(relay()).isEqualTo(730);
        assertThat(length("{a}:normal")).isEqualTo(30);
        assertThat(length("{z}:normal")).isEqualTo(700);
        assertThat(servers.count("queue = 'broken' and dispatched_at is null and state = 'PENDING'")).isEqualTo(20);

        servers.redis("DEL {broken}:normal");
        assertThat(relay()).isEqualTo(20);
    }

    @Test
    void jobs_that_were_marked_but_not_appended_are_unmarked_again() {
        relay();
        servers.insertUndispatched("q", 1, 20);
        process.streams.jobs.measure("q").await().atMost(JobServers.PATIENCE); // so that the append is what fails
        servers.redis("SET {q}:normal nonsense");

        assertThat(relay()).isZero();
        assertThat(servers.count("dispatched_at is null")).isEqualTo(20);
        servers.redis("DEL {q}:normal");
        assertThat(relay()).isEqualTo(20);
    }

    @Test
    void what_is_not_ready_is_not_sent() {
        servers.insert("SCHEDULED", 1, SOON, "null", "t");
        servers.insertReady(); // marked already
        UUID running = servers.insertRunning(SOON);
        servers.change(running, "dispatched_at = null");

        assertThat(relay()).isZero();
        assertThat(length("{q}:normal")).isZero();
    }

    @Test
    void a_row_that_somebody_holds_does_not_hold_up_the_others() throws SQLException {
        servers.insertUndispatched("q", 1, 20);
        try (Connection somebody = TestServers.connect(servers.databaseUrl());
                Statement statement = somebody.createStatement()) {
            somebody.setAutoCommit(false);
            statement.executeQuery("select id from job order by id limit 5 for update");

            assertThat(relay()).isEqualTo(15);
            somebody.rollback();
        }
        assertThat(relay()).isEqualTo(5);
        assertThat(length("{q}:normal")).isEqualTo(20);
    }

    @Test
    void two_relays_at_once_send_each_job_once() {
        servers.insertUndispatched("q", 0, 700);
        servers.insertUndispatched("q", 1, 700);
        try (WorkerProcess other = newProcess()) {
            CompletableFuture<Integer> one = crew.relay.relayOnce().subscribeAsCompletionStage();
            CompletableFuture<Integer> another = crewOf(other).relay.relayOnce().subscribeAsCompletionStage();
            assertThat(one.orTimeout(30, TimeUnit.SECONDS).join() + another.orTimeout(30, TimeUnit.SECONDS).join())
                    .isEqualTo(1_400);
        }
        assertThat(length("{q}:high") + length("{q}:normal")).isEqualTo(1_400);
    }
}
