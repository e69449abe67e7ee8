package io.millrace.worker;

import static io.millrace.worker.JobServers.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import io.millrace.support.TcpProxy;
import io.millrace.support.TestServers;

/** What a worker does when it is told to stop. */
@Timeout(120)
@DisplayNameGeneration(ReplaceUnderscores.class)
class DrainTest {
    private static final JobServers SERVERS = JobServers.fresh();
    /** Less than what a drain allows each of its other steps. */
    private static final Duration A_STEP = Duration.ofSeconds(4);

    private final HeldHandler handler = new HeldHandler();

    @BeforeEach
    void clear() {
        SERVERS.clear();
    }

    private WorkerProcess worker(int slots, String grace) {
        WorkerProcess process = new WorkerProcess(SERVERS, handler, "millrace.worker.slots", Integer.toString(slots),
                "millrace.worker.drain", grace);
        process.worker.start();
        return process;
    }

    private static Duration drain(WorkerProcess process) {
        long start = System.nanoTime();
        assertThat(process.worker.drain()).as("every job finished or handed back").isTrue();
        return Duration.ofNanos(System.nanoTime() - start);
    }

    private List<UUID> held(int count) {
        List<UUID> ids = SERVERS.insertReady(count);
        ids.forEach(SERVERS::append);
        await().untilAsserted(() -> assertThat(handler.held).hasSize(count));
        return ids;
    }

    @Test
    void with_all_slots_taken_it_takes_no_longer_than_the_grace_and_hands_the_jobs_back() {
        try (WorkerProcess process = worker(2, "100ms")) {
            List<UUID> ids = held(2);
            assertThat(process.worker.freeSlots(JobServers.QUEUE)).isZero();

            assertThat(drain(process)).isBetween(Duration.ofMillis(100), A_STEP);
            for (UUID id : ids) {
                assertThat(SERVERS.job(id, "state, failures, lost")).isEqualTo("PENDING 0 0");
            }
            assertThat(SERVERS.pending()).isZero();
            assertThat(SERVERS.length()).as("on the stream again, for whoever reads next").isEqualTo(2);
        }
    }

    @Test
    void jobs_that_end_within_the_grace_are_recorded_and_nobody_waits_for_the_rest_of_it() {
        try (WorkerProcess process = worker(2, "60s")) {
            List<UUID> ids = held(2);
            CompletableFuture<Duration> drained = CompletableFuture.supplyAsync(() -> drain(process));
            await().until(process.worker::isDraining);

            ids.forEach(handler::finish);
            assertThat(drained.orTimeout(30, TimeUnit.SECONDS).join()).isLessThan(Duration.ofSeconds(30));
            ids.forEach(id -> assertThat(SERVERS.job(id, "state")).isEqualTo("COMPLETED"));
            assertThat(SERVERS.length()).isZero();
        }
    }

    @Test
    void a_worker_with_nothing_to_do_stops_at_once() {
        try (WorkerProcess process = worker(2, "60s")) {
            held(1).forEach(handler::finish); // it reads
            await().until(() -> process.running.count() == 0);

            assertThat(drain(process)).isLessThan(A_STEP);
        }
    }

    @Test
    void a_claim_that_is_under_way_is_waited_for() throws SQLException {
        UUID id = SERVERS.insertReady();
        try (WorkerProcess process = worker(2, "0s");
                Connection locker = TestServers.connect(SERVERS.databaseUrl());
                Statement lock = locker.createStatement()) {
            locker.setAutoCommit(false);
            lock.execute("select 1 from job where id = '" + id + "' for update");
            SERVERS.append(id);
            await().until(() -> SERVERS.query("select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
                    + " and datname = current_database()").equals("1"));

            CompletableFuture<Duration> drained = CompletableFuture.supplyAsync(() -> drain(process));
            await().until(process.worker::isDraining);
            await().during(Duration.ofMillis(300)).until(() -> !drained.isDone());
            locker.rollback();
            drained.orTimeout(30, TimeUnit.SECONDS).join();

            assertThat(SERVERS.job(id, "state, epoch, lost, lease_id")).as("claimed, and handed back").isEqualTo(
                    "PENDING 1 0 null");
            assertThat(SERVERS.pending()).isZero();
        }
    }

    @Test
    void what_comes_after_the_stop_is_left_to_others() {
        try (WorkerProcess process = worker(2, "0s")) {
            held(1).forEach(handler::finish);
            drain(process);
            UUID id = SERVERS.insertReady();
            SERVERS.append(id);

            await().during(Duration.ofMillis(200)).until(() -> SERVERS.pending() == 0 && SERVERS.length() == 1);
            assertThat(SERVERS.job(id, "state")).isEqualTo("PENDING");
        }
    }

    @Test
    void what_cannot_be_recorded_is_left_to_its_lease_and_said_so() {
        try (TcpProxy proxy = new TcpProxy(URI.create(SERVERS.databaseUrl()));
                WorkerProcess process = new WorkerProcess(
                        new JobServers(proxy.through(SERVERS.databaseUrl()), SERVERS.redisUrl()), handler,
                        "millrace.worker.slots", "2", "millrace.worker.drain", "0s")) {
            process.worker.start();
            UUID id = held(1).get(0);
            proxy.cut();

            assertThat(process.worker.drain()).isFalse();
            assertThat(SERVERS.job(id, "state, epoch, lease_id is not null")).isEqualTo("PROCESSING 1 t");
        }
    }
}
