package io.millrace.maintenance;

import static io.millrace.maintenance.RepairCrew.pass;
import static io.millrace.worker.JobServers.QUEUE;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.UUID;

import org.junit.jupiter.api.Test;

class ReconcilerTest extends RepairTest {
    /** Older than the short margin of a second, far younger than the long one of 90. */
    private static final String A_WHILE_AGO = "now() - interval '20 seconds'";

    private int reconcile() {
        return pass(crew.reconciler.reconcile());
    }

    private void relayAndRun(List<UUID> ids) {
        pass(crew.relay.relayOnce());
        process.worker.start();
        ids.forEach(this::assertRuns);
    }

    @Test
    void after_redis_has_forgotten_the_queue_its_jobs_are_sent_again_and_run() {
        reconcile();
        List<UUID> ids = servers.insertReady(20);
        ids.forEach(servers::append);
        servers.execute("update job set dispatched_at = " + A_WHILE_AGO);
        servers.redis("FLUSHDB");

        assertThat(reconcile()).as("with a short margin, because the incarnation is gone").isEqualTo(20);
        assertThat(servers.count("dispatched_at is null")).isEqualTo(20);
        relayAndRun(ids);
        assertThat(servers.count("epoch = 1")).isEqualTo(20);
    }

    @Test
    void what_is_being_sent_at_this_moment_is_not_sent_again() {
        UUID id = servers.insertReady();

        assertThat(reconcile()).isZero();
        assertThat(servers.job(id, "dispatched_at is not null")).isEqualTo("t");
    }

    @Test
    void a_redis_that_is_another_than_before_is_noticed() {
        reconcile();
        UUID id = servers.insert("PENDING", 1, "now()", A_WHILE_AGO, "t");
        assertThat(reconcile()).as("the same Redis").isZero();

        servers.redis("SET {q}:incarnation restored-from-a-backup");
        assertThat(reconcile()).isOne();
        assertThat(servers.job(id, "dispatched_at")).isEqualTo("null");
        assertThat(reconcile()).isZero();
    }

    @Test
    void when_only_the_stream_is_gone_its_jobs_are_sent_again_after_the_margin() {
        reconcile();
        UUID old = servers.insert("PENDING", 1, "now()", "now() - interval '100 seconds'", "t");
        UUID young = servers.insert("PENDING", 1, "now()", "now() - interval '80 seconds'", "t");
        servers.append(old);
        servers.redis("DEL {q}:normal");

        assertThat(reconcile()).isOne();
        assertThat(servers.job(young, "dispatched_at is null")).isEqualTo("f");
        relayAndRun(List.of(old));
    }

    @Test
    void a_job_whose_entry_waits_behind_others_is_not_sent_again_however_old_it_is() {
        UUID id = servers.insert("PENDING", 1, "now()", "now() - interval '100 seconds'", "t");
        long appended = System.currentTimeMillis() - 100_000;
        servers.redis("XADD {q}:normal " + appended + "-0 j " + id);

        assertThat(reconcile()).as("no group yet: delivered to nobody").isZero();
        servers.createGroups();
        assertThat(reconcile()).isZero();

        servers.redis("XREADGROUP GROUP workers dead-worker COUNT 1 STREAMS {q}:normal >", "XADD {q}:normal * j " + id);
        assertThat(reconcile()).as("what the stream holds is younger than the job by more than the margin").isOne();
    }

    @Test
    void each_priority_is_compared_with_its_own_stream() {
        UUID high = servers.insert("PENDING", 0, "now()", "now() - interval '1 hour'", "t");
        UUID normal = servers.insert("PENDING", 1, "now()", "now() - interval '1 hour'", "t");
        servers.redis("XADD {q}:normal " + (System.currentTimeMillis() - 3_600_000) + "-0 j " + normal);

        assertThat(reconcile()).isOne();
        assertThat(servers.job(high, "dispatched_at")).isEqualTo("null");
        assertThat(servers.job(normal, "dispatched_at is null")).isEqualTo("f");
    }

    @Test
    void jobs_that_run_or_that_the_relay_will_send_are_left_alone() {
        UUID running = servers.insertRunning(SOON);
        servers.change(running, "dispatched_at = " + LONG_AGO);
        UUID waiting = servers.insert("PENDING", 1, "now()", "null", "t");

        assertThat(reconcile()).isZero();
        assertThat(servers.job(running, "state, epoch")).isEqualTo("PROCESSING 1");
        assertThat(servers.job(waiting, "state")).isEqualTo("PENDING");
    }

    @Test
    void overdue_jobs_whose_delayed_set_is_gone_run() {
        UUID scheduled = servers.insert("SCHEDULED", 1, "now() - interval '100 seconds'", "null", "t");
        UUID retrying = servers.insert("RETRYING", 0, "now() - interval '100 seconds'", "null", "t");

        assertThat(reconcile()).isEqualTo(2);
        assertThat(servers.count("state = 'PENDING' and dispatched_at is null")).isEqualTo(2);
        relayAndRun(List.of(scheduled, retrying));
    }

    @Test
    void jobs_that_are_hardly_overdue_are_left_to_the_promoter() {
        reconcile();
        servers.insert("SCHEDULED", 1, "now() - interval '80 seconds'", "null", "t");
        servers.insert("RETRYING", 1, "now() + interval '1 minute'", "null", "t");

        assertThat(reconcile()).isZero();
        assertThat(servers.count("state = 'PENDING'")).isZero();
    }

    @Test
    void in_a_hurry_overdue_jobs_are_not_left_to_it_for_long() {
        reconcile();
        UUID due = servers.insert("RETRYING", 1, "now() - interval '2 seconds'", "null", "t");
        servers.insert("SCHEDULED", 1, "now() + interval '2 seconds'", "null", "t");
        assertThat(reconcile()).isZero();

        crew.reconciler.hurry(QUEUE);
        assertThat(reconcile()).isOne();
        assertThat(servers.job(due, "state, dispatched_at")).isEqualTo("PENDING null");
    }

    @Test
    void a_job_that_is_sent_again_in_a_hurry_is_not_sent_a_third_time_while_it_waits() {
        reconcile();
        servers.createGroups();
        UUID id = servers.insert("PENDING", 1, "now()", A_WHILE_AGO, "t");
        servers.append(id);
        servers.redis("XREADGROUP GROUP workers slow-worker COUNT 1 STREAMS {q}:normal >");

        for (int i = 0; i < 3; i++) {
            crew.reconciler.hurry(QUEUE);
            assertThat(reconcile()).as("it is delivered, and nobody has claimed it").isEqualTo(i == 0 ? 1 : 0);
            pass(crew.relay.relayOnce());
        }
        assertThat(servers.length()).as("entries").isEqualTo(2);
        process.worker.start();
        servers.awaitState(id, "COMPLETED");
        assertThat(servers.job(id, "epoch")).isEqualTo("1");
    }

    @Test
    void an_overdue_job_that_was_promoted_and_waits_behind_others_is_left_alone() {
        UUID id = servers.insert("SCHEDULED", 1, "now() - interval '1 hour'", "null", "t");
        servers.redis("XADD {q}:normal " + (System.currentTimeMillis() - 3_600_000) + "-0 j " + id);

        assertThat(reconcile()).isZero();
        assertThat(servers.job(id, "state")).isEqualTo("SCHEDULED");
    }

    @Test
    void more_than_a_step_is_found_in_one_pass() {
        servers.insertUndispatched("q", 1, 2_500);
        servers.execute("update job set dispatched_at = " + LONG_AGO);

        assertThat(reconcile()).isEqualTo(2_500);
        assertThat(servers.count("dispatched_at is null")).isEqualTo(2_500);
    }
}
