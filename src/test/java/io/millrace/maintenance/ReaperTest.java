package io.millrace.maintenance;

import static io.millrace.maintenance.RepairCrew.pass;
import static io.millrace.worker.JobServers.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

import org.junit.jupiter.api.Test;

import io.millrace.job.ClaimedJob;
import io.millrace.job.JobOptions;
import io.millrace.job.JobState;
import io.millrace.job.Lease;
import io.millrace.job.Priority;
import io.millrace.job.Settlement;
import io.millrace.settle.Attempt;
import io.millrace.store.RepairStore.Reaped;
import io.millrace.stream.StreamEntry;
import io.millrace.support.TestServers;
import io.millrace.worker.WorkerProcess;

class ReaperTest extends RepairTest {

    private static UUID expired() {
        return servers.insertRunning(LONG_AGO);
    }

    @Test
    void a_job_whose_lease_ran_out_is_ready_again_and_its_attempt_names_the_worker() {
        UUID id = expired();

        assertThat(pass(crew.reaper.reapExpired())).isOne();
        assertThat(servers.job(id, "state, epoch, lost, failures, dispatched_at, lease_id, lease_until"))
                .isEqualTo("PENDING 1 1 0 null null null");
        assertThat(servers.query("select epoch, outcome, worker, started_at is not null, failure->>'error' from job_attempt"
                + " where job_id = '" + id + "'")).isEqualTo("1 REAPED dead-worker t WorkerLost");
    }

    @Test
    void it_runs_again() {
        UUID id = expired();
        pass(crew.reaper.reapExpired());
        assertThat(pass(crew.relay.relayOnce())).isOne();

        process.worker.start();
        assertRuns(id);
        assertThat(servers.job(id, "epoch, lost, failures")).isEqualTo("2 1 0");
    }

    @Test
    void a_job_whose_lease_holds_is_left_alone() {
        UUID id = servers.insertRunning("now() + interval '30 seconds'");
        String before = servers.job(id, "job::text");

        assertThat(pass(crew.reaper.reapExpired())).isZero();
        assertThat(servers.job(id, "job::text")).isEqualTo(before);
    }

    @Test
    void a_job_that_too_many_workers_died_of_is_given_up_and_noted_as_a_dead_letter() {
        UUID id = expired();
        servers.change(id, "lost = 2");

        List<Reaped> told = new ArrayList<>();
        crew.reaper.onReaped(told::addAll);

        assertThat(pass(crew.reaper.reapExpired())).isOne();
        assertThat(told).containsExactly(new Reaped(id, "q", Priority.NORMAL, JobState.FAILED));
        assertThat(servers.job(id, "state, lost, failure->>'reason', finished_at is not null, lease_id"))
                .isEqualTo("FAILED 3 WORKER_LOST t null");
        assertThat(servers.redis("XRANGE {q}:dlq - +")).contains(id.toString(), "WORKER_LOST");
    }

    @Test
    void one_loss_below_the_limit_it_still_runs_again() {
        UUID id = expired();
        servers.change(id, "lost = 1");

        pass(crew.reaper.reapExpired());
        assertThat(servers.job(id, "state, lost")).isEqualTo("PENDING 2");
        assertThat(servers.number("XLEN {q}:dlq")).isZero();
    }

    @Test
    void a_job_that_someone_cancelled_meanwhile_is_cancelled_and_is_no_dead_letter() {
        UUID id = expired();
        servers.change(id, "lost = 2, cancel_requested = true");

        pass(crew.reaper.reapExpired());
        assertThat(servers.job(id, "state, lost, failure, finished_at is not null")).isEqualTo("CANCELLED 3 null t");
        assertThat(servers.number("XLEN {q}:dlq")).isZero();
    }

    @Test
    void two_reapers_at_once_reap_each_job_once() {
        int jobs = 1_200; // more than a step
        servers.insertUndispatched("q", 1, jobs);
        servers.execute("update job set state = 'PROCESSING', epoch = 1, lease_id = gen_random_uuid(), lease_owner = 'dead',"
                + " lease_until = " + LONG_AGO + ", dispatched_at = now()");

        try (WorkerProcess other = newProcess()) {
            CompletableFuture<Integer> one = crew.reaper.reapExpired().subscribeAsCompletionStage();
            CompletableFuture<Integer> another = crewOf(other).reaper.reapExpired().subscribeAsCompletionStage();
            assertThat(one.join() + another.join()).isEqualTo(jobs);
        }
        assertThat(servers.count("state = 'PENDING' and lost = 1 and epoch = 1")).isEqualTo(jobs);
        assertThat(servers.query("select count(*) from job_attempt")).isEqualTo(Integer.toString(jobs));
    }

    @Test
    void a_job_that_somebody_holds_locked_is_left_for_the_next_pass_and_holds_nobody_up() throws SQLException {
        UUID locked = expired();
        UUID free = expired();
        try (Connection locker = TestServers.connect(servers.databaseUrl()); Statement lock = locker.createStatement()) {
            locker.setAutoCommit(false);
            lock.execute("select 1 from job where id = '" + locked + "' for update");

            assertThat(pass(crew.reaper.reapExpired())).isOne();
            assertThat(servers.job(free, "state")).isEqualTo("PENDING");
            assertThat(servers.job(locked, "state")).isEqualTo("PROCESSING");
            locker.rollback();
        }
        assertThat(pass(crew.reaper.reapExpired())).isOne();
    }

    @Test
    void the_worker_that_was_silent_can_record_nothing_and_acknowledges_nothing() {
        UUID id = servers.insertReady();
        servers.deliverToTheDead(id);
        servers.lease(id, "dead-worker", LONG_AGO);
        UUID leaseId = UUID.fromString(servers.job(id, "lease_id"));
        String entry = servers.redis("XRANGE {q}:normal - +").stream().filter(line -> line.matches("\\d+-\\d+")).findFirst()
                .orElseThrow();
        pass(crew.reaper.reapExpired());

        Attempt late = new Attempt(
                new ClaimedJob(new Lease(id, 1, leaseId), "default", "q", "echo", Priority.NORMAL, "{}", JobOptions.NONE, 0, 0,
                        5, false, ClaimedJob.RAN_BEFORE),
                List.of(new StreamEntry("q", Priority.NORMAL, entry, id)), new Settlement.Complete("\"late\"", List.of()),
                System.nanoTime(), () -> true);
        assertThat(pass(process.settlers.settler.settle(late))).isFalse();
        pass(process.settlers.settler.idle());
        assertThat(servers.job(id, "state, epoch, lost, result")).isEqualTo("PENDING 1 1 null");
        assertThat(servers.pending()).isOne();

        // Nor when the job runs elsewhere by now.
        servers.lease(id, "other-worker", SOON);
        assertThat(pass(process.settlers.settler.settle(late))).isFalse();
        pass(process.settlers.settler.idle());
        assertThat(servers.job(id, "state, epoch, result, lease_owner")).isEqualTo("PROCESSING 2 null other-worker");
        await().untilAsserted(() -> assertThat(servers.pendingOf("dead-worker")).isOne());
    }
}
