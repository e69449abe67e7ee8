package io.millrace.maintenance;

import static io.millrace.maintenance.RepairCrew.pass;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.UUID;

import org.junit.jupiter.api.Test;

import io.millrace.maintenance.Census.Counts;
import io.millrace.worker.JobServers;
import io.millrace.worker.WorkerProcess;

class CensusTest extends RepairTest {

    private Counts take() {
        servers.redis("DEL census:turn");
        pass(crew.census.take());
        return crew.census.of(JobServers.QUEUE);
    }

    @Test
    void jobs_are_counted_by_what_they_wait_for() {
        servers.insertUndispatched("q", 0, 2);
        servers.insert("PENDING", 2, "now() - interval '1 hour'", "now()", "t");
        servers.insert("SCHEDULED", 1, "now() - interval '1 minute'", "null", "t"); // overdue: it could run
        servers.insert("SCHEDULED", 1, SOON, "null", "t");
        servers.insert("RETRYING", 1, SOON, "null", "t");
        servers.insertRunning(SOON);

        Counts counts = take();

        assertThat(counts.ready()).isEqualTo(4);
        assertThat(counts.running()).isEqualTo(1);
        assertThat(counts.waiting()).isEqualTo(2);
        assertThat(counts.readyAge()).isBetween(3_600.0, 3_660.0);
        assertThat(counts.dead()).isZero();
    }

    @Test
    void only_what_was_given_up_is_a_dead_letter() {
        String ended = "phase = 2, finished_at = now(), lease_id = null, ";
        servers.change(servers.insertRunning(SOON), ended + "state = 'FAILED', failure = '{\"reason\":\"REJECTED\"}'");
        servers.change(servers.insertRunning(SOON), ended + "state = 'CANCELLED', failure = '{}'");
        servers.change(servers.insertRunning(SOON), ended + "state = 'COMPLETED'");

        assertThat(take().dead()).isEqualTo(1);
    }

    @Test
    void an_empty_queue_has_nothing() {
        assertThat(take()).isEqualTo(new Counts(0, 0, 0, 0, 0, 0, 0));
    }

    @Test
    void a_backlog_is_counted_up_to_the_bound() {
        servers.insertUndispatched("q", 1, Census.MOST_OF_A_KIND + 1);
        servers.insertUndispatched("q", 2, 1);

        assertThat(take().ready()).isEqualTo(Census.MOST_OF_A_KIND + 1);
    }

    @Test
    void entries_that_nobody_finishes_are_counted_with_the_time_since_somebody_was_heard_of() {
        UUID id = servers.insertReady();
        servers.deliverToTheDead(id);
        servers.deliverToTheDead(id);
        String entry = servers.redis("XRANGE {q}:normal - + COUNT 1").get(3);
        servers.redis("XCLAIM {q}:normal workers dead-worker 0 " + entry + " IDLE 90000");

        Counts counts = take();

        assertThat(counts.pending()).isEqualTo(2);
        assertThat(counts.pendingIdle()).isBetween(90.0, 150.0);
    }

    @Test
    void one_process_counts_and_the_others_read_what_it_found() {
        servers.insertReady();
        take();
        servers.insertReady();
        try (WorkerProcess other = newProcess()) {
            Census another = crewOf(other).census;

            assertThat(pass(another.take())).as("queues counted").isZero();
            assertThat(another.of(JobServers.QUEUE).ready()).as("as the first had found it").isEqualTo(1);

            servers.redis("DEL census:turn");
            assertThat(pass(another.take())).as("its turn").isEqualTo(1);
            assertThat(another.of(JobServers.QUEUE).ready()).isEqualTo(2);
        }
    }

    @Test
    void what_another_version_left_is_not_believed() {
        servers.insertReady();
        Counts own = take();
        servers.redis("SET census:counts nonsense");

        assertThat(pass(crew.census.take())).isZero();
        assertThat(crew.census.of(JobServers.QUEUE)).isEqualTo(own);
    }

    @Test
    void a_stream_that_is_none_costs_its_own_figures_only() {
        servers.redis("SET {q}:normal nonsense");
        servers.insertReady();

        Counts counts = take();

        assertThat(counts.ready()).isEqualTo(1);
        assertThat(counts.pending()).as("not known").isEqualTo(-1);
    }
}
