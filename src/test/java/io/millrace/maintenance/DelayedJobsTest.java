package io.millrace.maintenance;

import static io.millrace.maintenance.RepairCrew.pass;
import static io.millrace.worker.JobServers.DELAYED;
import static io.millrace.worker.JobServers.STREAM;
import static io.millrace.worker.JobServers.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Test;

import io.millrace.worker.WorkerProcess;

/** The loader brings jobs into the delayed set, the promoter onto the stream. */
class DelayedJobsTest extends RepairTest {

    private static int delayed() {
        return servers.number("ZCARD " + DELAYED);
    }

    @Test
    void what_is_due_within_the_look_ahead_is_loaded_and_no_more() {
        UUID soon = servers.insert("SCHEDULED", 0, "now() + interval '9 minutes'", "null", "t");
        UUID retry = servers.insert("RETRYING", 2, "now() + interval '5 minutes'", "null", "t");
        servers.insert("SCHEDULED", 1, "now() + interval '11 minutes'", "null", "t");
        servers.insertReady();

        assertThat(pass(crew.loader.loadDelayed())).isEqualTo(2);
        assertThat(servers.redis("ZRANGE " + DELAYED + " 0 -1")).contains("2:" + retry, "0:" + soon);
        assertThat(delayed()).isEqualTo(2);
        String score = servers.redis("ZSCORE " + DELAYED + " 0:" + soon).get(1);
        assertThat(score).isEqualTo(servers.job(soon, "ceil(extract(epoch from run_at) * 1000)::bigint"));
    }

    @Test
    void what_a_lost_set_held_is_loaded_again() {
        servers.insertUndispatched("q", 1, 1_200); // more than two pages, all due at the same instant
        servers.execute("update job set state = 'PROCESSING', epoch = 1, lease_id = gen_random_uuid(), dispatched_at = now()");
        servers.execute("update job set state = 'SCHEDULED', phase = 0, lease_id = null, dispatched_at = null, run_at = now()"
                + " + interval '5 minutes'");

        assertThat(pass(crew.loader.loadDelayed())).isEqualTo(1_200);
        assertThat(delayed()).isEqualTo(1_200);
        servers.redis("DEL " + DELAYED);
        assertThat(pass(crew.loader.loadDelayed())).isEqualTo(1_200);
        assertThat(delayed()).isEqualTo(1_200);
        pass(crew.loader.loadDelayed());
        assertThat(delayed()).as("twice is the same as once").isEqualTo(1_200);
    }

    @Test
    void what_is_due_is_promoted_and_the_next_time_is_told() {
        UUID due = UUID.randomUUID();
        servers.redis("ZADD " + DELAYED + " 1000 0:" + due,
                "ZADD " + DELAYED + " " + (System.currentTimeMillis() + 60_000) + " 1:" + UUID.randomUUID());

        Duration next = pass(crew.promoter.promoteDue("q"));
        assertThat(next).isBetween(Duration.ofSeconds(50), Duration.ofSeconds(60));
        assertThat(servers.redis("XRANGE {q}:high - +")).contains(due.toString());
        assertThat(servers.number("XLEN " + STREAM)).isZero();
        assertThat(delayed()).isOne();
    }

    @Test
    void when_nothing_waits_there_is_no_next_time() {
        assertThat(pass(crew.promoter.promoteDue("q"))).isNull();
    }

    @Test
    void two_processes_at_once_move_each_job_once() {
        int jobs = 1_000; // several script calls
        StringBuilder add = new StringBuilder("ZADD " + DELAYED);
        for (int i = 0; i < jobs; i++) {
            add.append(" 1 1:").append(UUID.randomUUID());
        }
        servers.redis(add.toString());
        try (WorkerProcess other = newProcess()) {
            CompletableFuture<Duration> one = crew.promoter.promoteDue("q").subscribeAsCompletionStage();
            CompletableFuture<Duration> another = crewOf(other).promoter.promoteDue("q").subscribeAsCompletionStage();
            one.orTimeout(30, TimeUnit.SECONDS).join();
            another.orTimeout(30, TimeUnit.SECONDS).join();
        }
        assertThat(servers.number("XLEN " + STREAM)).isEqualTo(jobs);
        assertThat(delayed()).isZero();
    }

    @Test
    void a_started_promoter_wakes_up_when_the_next_job_is_due_and_not_before() {
        UUID id = servers.insert("SCHEDULED", 1, "now() + interval '700 milliseconds'", "null", "t");
        crew.promoter.start(Set.of());
        process.worker.start();
        pass(crew.loader.loadDelayed());

        servers.awaitState(id, "COMPLETED");
        assertThat(servers.job(id, "started_at >= run_at, epoch")).isEqualTo("t 1");
        crew.promoter.stop();
    }

    @Test
    void a_started_promoter_looks_into_sets_that_others_fill() {
        crew.promoter.start(Set.of("q"));
        servers.redis("ZADD " + DELAYED + " 1 1:" + UUID.randomUUID());
        await().untilAsserted(() -> assertThat(servers.number("XLEN " + STREAM)).isOne());
        servers.redis("ZADD " + DELAYED + " 1 1:" + UUID.randomUUID());
        await().untilAsserted(() -> assertThat(servers.number("XLEN " + STREAM)).isEqualTo(2));
        crew.promoter.stop();
    }
}
