package io.millrace.maintenance;

import static io.millrace.maintenance.RepairCrew.pass;
import static io.millrace.worker.JobServers.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

import org.junit.jupiter.api.Test;

import io.millrace.support.TestServers;
import io.millrace.worker.JobServers;
import io.millrace.worker.WorkerProcess;

class ReclaimerTest extends RepairTest {

    private int sweep() {
        return pass(crew.reclaimer.reclaimIdle());
    }

    private static void assertNothingIsLeft() {
        await().untilAsserted(() -> {
            assertThat(servers.length()).as("entries").isZero();
            assertThat(servers.pending()).as("pending entries").isZero();
        });
    }

    @Test
    void a_job_that_was_delivered_to_a_dead_worker_runs() {
        UUID id = servers.insertReady();
        servers.deliverToTheDead(id);

        assertThat(sweep()).isOne();
        servers.awaitState(id, "COMPLETED");
        assertThat(servers.job(id, "epoch, lost, lease_owner")).isEqualTo("1 0 " + process.name());
        assertNothingIsLeft();
    }

    @Test
    void all_entries_are_taken_over_in_any_number_of_steps() {
        List<UUID> ids = servers.insertReady(25);
        ids.forEach(servers::deliverToTheDead);

        // Ten slots: the entries that find none free wait for the next sweep.
        await().untilAsserted(() -> {
            sweep();
            assertThat(servers.count("state = 'COMPLETED' and epoch = 1")).isEqualTo(ids.size());
        });
        assertNothingIsLeft();
    }

    @Test
    void an_entry_that_has_not_been_idle_long_enough_is_left_to_its_owner() {
        UUID id = servers.insertReady();
        servers.deliverToTheDead(id);

        try (WorkerProcess patient = new WorkerProcess(servers, null, "millrace.maintenance.reclaim-idle", "60s")) {
            assertThat(pass(crewOf(patient).reclaimer.reclaimIdle())).isZero();
        }
        assertThat(servers.pendingOf("dead-worker")).isOne();
        assertThat(servers.job(id, "state")).isEqualTo("PENDING");
    }

    @Test
    void the_entry_of_a_job_that_has_ended_is_only_acknowledged() {
        UUID id = servers.insertReady();
        servers.deliverToTheDead(id);
        servers.lease(id, "dead-worker", SOON);
        servers.change(id, "state = 'COMPLETED', phase = 2, lease_id = null, finished_at = now(), result = '1'");
        String before = servers.job(id, "job::text");

        assertThat(sweep()).isOne();
        assertNothingIsLeft();
        assertThat(servers.job(id, "job::text")).isEqualTo(before);
    }

    @Test
    void a_job_that_a_live_lease_holds_is_not_run_and_its_entry_stays() {
        UUID id = servers.insertReady();
        servers.deliverToTheDead(id);
        servers.lease(id, "slow-worker", SOON);
        String before = servers.job(id, "job::text");

        assertThat(sweep()).isOne();
        await().untilAsserted(() -> assertThat(process.worker.freeSlots(JobServers.QUEUE)).isEqualTo(10));
        assertThat(servers.job(id, "job::text")).isEqualTo(before);
        assertThat(servers.pendingOf(process.name())).isOne();
    }

    @Test
    void a_job_whose_lease_ran_out_runs_and_one_loss_is_counted() {
        UUID id = servers.insertReady();
        servers.deliverToTheDead(id);
        servers.lease(id, "dead-worker", LONG_AGO);

        sweep();
        servers.awaitState(id, "COMPLETED");
        assertThat(servers.job(id, "epoch, lost")).isEqualTo("2 1");
        assertThat(servers.query("select epoch, outcome, worker, started_at is not null, failure->>'error', count(*) over ()"
                + " from job_attempt where job_id = '" + id + "'")).isEqualTo("1 RECLAIMED dead-worker t WorkerLost 1");
        assertNothingIsLeft();
    }

    @Test
    void an_attempt_that_is_recorded_at_this_moment_is_not_a_lost_one() throws SQLException {
        UUID id = servers.insertReady();
        servers.deliverToTheDead(id);
        servers.lease(id, "slow-worker", LONG_AGO);
        try (Connection slowWorker = TestServers.connect(servers.databaseUrl());
                Statement settle = slowWorker.createStatement()) {
            slowWorker.setAutoCommit(false);
            settle.execute("update job set state = 'COMPLETED', phase = 2, lease_id = null, lease_until = null,"
                    + " finished_at = now() where id = '" + id + "'");
            sweep();
            await().until(() -> servers.query("select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
                    + " and datname = current_database()").equals("1"));
            slowWorker.commit();
        }
        assertNothingIsLeft();
        assertThat(servers.job(id, "state, epoch, lost")).isEqualTo("COMPLETED 1 0");
        assertThat(servers.query("select count(*) from job_attempt")).isEqualTo("0");
    }

    @Test
    void two_workers_that_sweep_at_once_run_it_once_and_count_one_loss() {
        List<UUID> ids = servers.insertReady(8);
        ids.forEach(servers::deliverToTheDead);
        ids.forEach(id -> servers.lease(id, "dead-worker", LONG_AGO));
        try (WorkerProcess other = newProcess()) {
            CompletableFuture<Integer> one = crew.reclaimer.reclaimIdle().subscribeAsCompletionStage();
            CompletableFuture<Integer> another = crewOf(other).reclaimer.reclaimIdle().subscribeAsCompletionStage();
            one.join();
            another.join();
            process.worker.start(); // of what it took over one suspect ran, the others were put off
            await().untilAsserted(() -> {
                sweep();
                pass(process.streams.jobs.promoteDue(JobServers.QUEUE, 100));
                assertThat(servers.count("state = 'COMPLETED' and lost = 1")).isEqualTo(ids.size());
            });
            other.worker.drain();
        }
        assertThat(servers.query("select count(*), count(distinct job_id) from job_attempt where outcome = 'RECLAIMED'"))
                .isEqualTo(ids.size() + " " + ids.size());
    }

    @Test
    void a_job_that_too_many_workers_died_of_is_not_run_but_left_to_the_reaper() {
        UUID id = servers.insertReady();
        servers.deliverToTheDead(id);
        servers.lease(id, "dead-worker", LONG_AGO);
        servers.change(id, "lost = 2");

        sweep();
        await().untilAsserted(() -> assertThat(process.worker.freeSlots(JobServers.QUEUE)).isEqualTo(10));
        assertThat(servers.job(id, "state, epoch, lost")).isEqualTo("PROCESSING 1 2");
        pass(crew.reaper.reapExpired());
        assertThat(servers.job(id, "state")).isEqualTo("FAILED");
        sweep();
        assertNothingIsLeft();
    }

    @Test
    void an_entry_of_an_unknown_job_stays_until_no_transaction_can_bring_the_job_any_more() {
        UUID nobody = UUID.randomUUID();
        servers.deliverToTheDead(nobody);

        assertThat(sweep()).isOne();
        await().untilAsserted(() -> assertThat(process.worker.freeSlots(JobServers.QUEUE)).isEqualTo(10));
        assertThat(servers.pendingOf(process.name())).as("its row may not be visible yet").isOne();

        try (WorkerProcess hasty = new WorkerProcess(servers, null, "millrace.maintenance.reclaim-idle", "0s",
                "millrace.worker.unknown-after", "0s")) {
            assertThat(pass(crewOf(hasty).reclaimer.reclaimIdle())).isOne();
            assertNothingIsLeft();
        }
    }

    @Test
    void an_entry_is_old_by_its_own_age_whatever_became_of_it_since() {
        servers.createGroups();
        String old = servers.redis("XADD {q}:normal 1000-0 j " + UUID.randomUUID()).get(1);
        servers.redis("XREADGROUP GROUP workers dead-worker COUNT 1 STREAMS {q}:normal >");

        sweep(); // with an hour
        assertNothingIsLeft();
        assertThat(old).isEqualTo("1000-0");
    }

    @Test
    void an_entry_that_somebody_deleted_makes_the_reconciler_look_at_once() {
        pass(crew.reconciler.reconcile()); // knows this Redis from now on
        UUID id = servers.insertReady();
        servers.deliverToTheDead(id);
        servers.change(id, "dispatched_at = now() - interval '5 seconds'");
        String entry = servers.redis("XRANGE {q}:normal - +").stream().filter(line -> line.matches("\\d+-\\d+")).findFirst()
                .orElseThrow();
        servers.redis("XDEL {q}:normal " + entry);

        assertThat(pass(crew.reconciler.reconcile())).as("with the long margin").isZero();
        sweep();
        assertThat(pass(crew.reconciler.reconcile())).as("with the short one").isOne();
        assertThat(servers.job(id, "state, dispatched_at")).isEqualTo("PENDING null");
        assertThat(pass(crew.reconciler.reconcile())).isZero();

        pass(crew.relay.relayOnce());
        process.worker.start();
        assertRuns(id);
    }

    @Test
    void a_queue_that_cannot_be_swept_does_not_stop_the_other_priorities() {
        UUID id = servers.insertReady();
        servers.deliverToTheDead(id);
        servers.redis("DEL {q}:high", "SET {q}:high nonsense");

        assertThat(sweep()).isOne();
        servers.awaitState(id, "COMPLETED");
    }

    @Test
    void a_worker_that_stops_takes_nothing_over() {
        UUID id = servers.insertReady();
        servers.deliverToTheDead(id);
        process.worker.start();
        process.worker.drain();

        assertThat(sweep()).isZero();
        assertThat(servers.pendingOf("dead-worker")).isOne();
        assertThat(servers.job(id, "state")).isEqualTo("PENDING");
    }
}
