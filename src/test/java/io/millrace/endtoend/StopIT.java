package io.millrace.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.time.Duration;

import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import io.millrace.support.Api;
import io.millrace.support.MillraceProcess;
import io.millrace.support.RawConnection;
import io.millrace.support.TcpProxy;
import io.millrace.support.TestServers;

/** What the end of a process that was told to stop says. */
@Timeout(180)
@DisplayNameGeneration(ReplaceUnderscores.class)
class StopIT {

    private static final int JOBS_LEFT = 3;
    private static final int SIGTERM = 128 + 15;
    private static final String JOB_TYPES = "GET /v1/job-types HTTP/1.1\r\nHost: a\r\n\r\n";
    /** For an answer to come that nothing holds up, and long enough to see that one does not come. */
    private static final Duration QUIET = Duration.ofSeconds(1);
    private static final String LONG_JOB = "{\"type\":\"sleep\",\"payload\":{\"ms\":600000},\"timeout\":\"PT20M\"}";

    private final String database = TestServers.migratedDatabase();
    private final String redis = TestServers.freshRedis();
    private final Processes processes = new Processes(database, redis);

    @AfterEach
    void stop() {
        processes.close();
    }

    private static ConditionFactory await() {
        return Awaitility.await().atMost(Duration.ofSeconds(60)).pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(20));
    }

    private static String running(Api api) {
        String id = api.enqueue(LONG_JOB);
        await().until(() -> api.job(id).path("state").asText().equals("PROCESSING"));
        return id;
    }

    @Test
    void jobs_that_were_left_to_their_leases_are_said_to_be_with_an_exit_code_of_their_own() {
        Api api = processes.start("api").awaitReady().api();
        try (TcpProxy proxy = new TcpProxy(URI.create(database));
                Processes behindProxy = new Processes(proxy.through(database), redis)) {
            MillraceProcess worker = behindProxy.start("worker", "MILLRACE_WORKER_DRAIN", "0s").awaitReady();
            String id = running(api);
            proxy.cut();
            worker.terminate();

            assertThat(worker.awaitExit()).as(worker.output()).isEqualTo(JOBS_LEFT);
            assertThat(worker.output()).contains("drained: 0 jobs finished, 0 handed back, 1 left to their leases");
            assertThat(api.job(id).path("state").asText()).isEqualTo("PROCESSING");
        }
    }

    @Test
    void a_second_signal_changes_nothing() {
        MillraceProcess process = processes.start("all", "MILLRACE_WORKER_DRAIN", "2s").awaitReady();
        running(process.api());
        process.terminate();
        await().until(() -> process.output().contains("draining: 1 jobs run"));
        process.terminate();

        assertThat(process.awaitExit()).as(process.output()).isZero();
        assertThat(process.output()).containsOnlyOnce("drained: 0 jobs finished, 1 handed back, 0 left to their leases");
        assertThat(process.errors()).isEmpty();
    }

    @Test
    void a_signal_at_any_moment_of_the_start_ends_the_process() {
        for (int afterMs = 100; afterMs <= 3_100; afterMs += 500) {
            MillraceProcess process = processes.start("all");
            Awaitility.await().pollDelay(Duration.ofMillis(afterMs)).until(() -> true);
            process.terminate();
            assertThat(process.awaitExit()).as("after %d ms: %s", afterMs, process.output()).isIn(0, SIGTERM);
            assertThat(process.errors()).as("after %d ms", afterMs).isEmpty();
        }
    }

    @Test
    void an_API_that_stops_answers_on_and_asks_its_callers_to_go_elsewhere() {
        MillraceProcess process = processes.start("api", "MILLRACE_API_DRAIN", "4s").awaitReady();
        try (RawConnection kept = new RawConnection(process.api().base())) {
            kept.send(JOB_TYPES);
            assertThat(kept.read(QUIET)).startsWith("HTTP/1.1 200").doesNotContainIgnoringCase("connection: close");
            process.terminate();
            await().until(() -> !process.isReady());

            kept.send(JOB_TYPES);
            assertThat(kept.read(QUIET)).startsWith("HTTP/1.1 200").containsIgnoringCase("connection: close");
            assertThat(kept.isClosedWithin(QUIET)).isTrue();
            assertThat(process.api().enqueue("{\"type\":\"echo\"}")).as("over a new connection").isNotEmpty();
            assertThat(process.awaitExit()).as(process.output()).isZero();
        }
    }

    @Test
    void who_waits_for_the_end_of_a_job_is_answered_before_the_API_is_gone() {
        MillraceProcess process = processes.start("api", "MILLRACE_API_DRAIN", "1s").awaitReady();
        String id = process.api().enqueue("{\"type\":\"echo\"}"); // nobody runs it
        try (RawConnection waiting = new RawConnection(process.api().base())) {
            waiting.send("GET /v1/jobs/" + id + "?wait=60s HTTP/1.1\r\nHost: a\r\n\r\n");
            assertThat(waiting.read(QUIET)).isEmpty();
            process.terminate();

            assertThat(waiting.read(Duration.ofSeconds(5))).startsWith("HTTP/1.1 200").contains("\"state\":\"PENDING\"")
                    .containsIgnoringCase("connection: close");
            assertThat(process.awaitExit()).as(process.output()).isZero();
            assertThat(process.output()).doesNotContain("Timed out waiting for graceful shutdown");
        }
    }
}
