package io.millrace.worker;

import static io.millrace.worker.JobServers.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.UUID;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What killed a worker may kill the next: it must not take others along. */
@Timeout(120)
@DisplayNameGeneration(ReplaceUnderscores.class)
class IsolationTest {

    static final JobServers SERVERS = JobServers.fresh();

    final HeldHandler handler = new HeldHandler();
    final WorkerProcess process = new WorkerProcess(SERVERS, handler, "millrace.worker.drain", "0s");

    @BeforeEach
    void start() {
        SERVERS.clear();
        process.worker.start();
    }

    @AfterEach
    void stop() {
        process.worker.drain();
        process.close();
    }

    /** Two workers have died while they ran it. */
    private static UUID suspect() {
        return lost(2);
    }

    private static UUID lost(int times) {
        UUID id = SERVERS.insertReady();
        SERVERS.change(id, "lost = " + times);
        SERVERS.append(id);
        return id;
    }

    private void awaitHeld(UUID... ids) {
        await().untilAsserted(() -> assertThat(handler.held.keySet()).containsExactlyInAnyOrder(ids));
    }

    private static void awaitPutOff() {
        await().until(() -> SERVERS.number("ZCARD " + JobServers.DELAYED) == 1);
    }

    /** What the promoter does when the pause is over; by chance that can be minutes. */
    private void promote(UUID id) {
        SERVERS.change(id, "run_at = now()");
        SERVERS.redis("ZADD " + JobServers.DELAYED + " XX 1 1:" + id);
        await().until(() -> process.streams.jobs.promoteDue(JobServers.QUEUE, 10).await().indefinitely().moved() == 1);
    }

    @Test
    void of_two_suspects_one_runs_and_the_other_is_put_off_and_runs_afterwards() {
        UUID first = suspect();
        awaitHeld(first);
        UUID second = suspect();

        SERVERS.awaitState(second, "SCHEDULED");
        awaitHeld(first);
        awaitPutOff();
        handler.finish(first);
        SERVERS.awaitState(first, "COMPLETED");

        promote(second);
        awaitHeld(second);
        handler.finish(second);
        SERVERS.awaitState(second, "COMPLETED");
        assertThat(SERVERS.job(second, "failures, lost")).as("nothing is counted").isEqualTo("0 2");
        assertThat(SERVERS.query("select count(*) from job_attempt")).isEqualTo("0");
    }

    @Test
    void a_suspect_that_is_put_off_again_and_again_runs_in_the_end() {
        UUID first = suspect();
        awaitHeld(first);
        UUID second = suspect();
        awaitPutOff();
        for (int round = 0; round < 2; round++) {
            promote(second);
            awaitPutOff();
        }
        handler.finish(first);
        promote(second);
        awaitHeld(second);
        assertThat(SERVERS.job(second, "lost, failures, epoch")).isEqualTo("2 0 4");
    }

    @Test
    void jobs_whose_worker_died_once_run_side_by_side() {
        UUID first = lost(1);
        UUID second = lost(1);
        UUID suspect = suspect();

        awaitHeld(first, second, suspect);
    }

    @Test
    void whoever_is_above_suspicion_runs_beside_a_suspect() {
        UUID suspect = suspect();
        awaitHeld(suspect);
        List<UUID> others = SERVERS.insertReady(3);
        others.forEach(SERVERS::append);

        awaitHeld(suspect, others.get(0), others.get(1), others.get(2));
    }

    @Test
    void the_slot_of_a_suspect_that_is_put_off_is_free_at_once() {
        UUID first = suspect();
        awaitHeld(first);
        UUID second = suspect();
        SERVERS.awaitState(second, "SCHEDULED");

        await().untilAsserted(() -> assertThat(process.worker.freeSlots(JobServers.QUEUE)).isEqualTo(499));
        assertThat(process.running.count()).isOne();
    }
}
