package io.millrace.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;

import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import com.fasterxml.jackson.databind.JsonNode;

import io.millrace.support.Api;
import io.millrace.support.MillraceProcess;
import io.millrace.support.Streams;
import io.millrace.support.TestServers;
import io.millrace.support.TransitionGuard;

/** The packaged application as separate processes, which migrate a new database at the same time. */
@Timeout(180)
@DisplayNameGeneration(ReplaceUnderscores.class)
class PackagedJarIT {

    private static final int JOBS = 2_000;

    private static String database;
    private static Streams streams;
    private static Processes processes;
    private static Api api;

    @BeforeAll
    static void start() {
        database = TestServers.freshDatabase();
        String redis = TestServers.freshRedis();
        streams = new Streams(redis);
        processes = new Processes(database, redis);
        List<MillraceProcess> three = Stream.of("api", "worker", "worker").map(processes::start).toList();
        three.forEach(MillraceProcess::awaitReady);
        TransitionGuard.install(database);
        api = three.get(0).api();
    }

    @AfterAll
    static void stop() {
        processes.close();
    }

    private static ConditionFactory await() {
        return Awaitility.await().atMost(Duration.ofSeconds(60)).pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(50));
    }

    private static String query(String sql) {
        try (Connection connection = TestServers.connect(database);
                ResultSet rows = connection.createStatement().executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }

    @Test
    void two_workers_run_two_thousand_jobs_once_each_and_leave_nothing_behind() {
        String jobs = "[" + String.join(",", Collections.nCopies(JOBS, "{\"type\":\"echo\",\"tags\":[\"many\"]}")) + "]";
        assertThat(api.post("/v1/jobs/bulk", jobs).json().path("accepted").asInt()).isEqualTo(JOBS);

        await().untilAsserted(() -> assertThat(query("""
                select string_agg(distinct state || ' ' || epoch || ' ' || failures || ' ' || lost, ', ')
                  from job where 'many' = any(tags)""")).isEqualTo("COMPLETED 1 0 0"));
        assertThat(query("select count(*) from job where 'many' = any(tags)")).isEqualTo(Integer.toString(JOBS));
        await().untilAsserted(() -> {
            assertThat(streams.length("default")).as("entries").isZero();
            assertThat(streams.pending("default")).as("pending entries").isZero();
        });
    }

    @Test
    void a_worker_that_is_told_to_stop_finishes_what_is_short_and_hands_back_what_is_long() {
        MillraceProcess worker = processes.start("worker", "MILLRACE_QUEUES", "drain:2", "MILLRACE_WORKER_DRAIN", "5s")
                .awaitReady();
        String brief = api.enqueue(sleep(2_500));
        String longer = api.enqueue(sleep(600_000));
        await().until(() -> isRunning(brief) && isRunning(longer));
        String waiting = api.enqueue(sleep(1));

        worker.terminate();
        assertThat(worker.awaitExit()).isZero();

        assertThat(worker.output()).contains("drained: 1 jobs finished, 1 handed back, 0 left to their leases");
        assertThat(worker.errors()).isEmpty();
        assertThat(api.job(brief).path("state").asText()).isEqualTo("COMPLETED");
        JsonNode handedBack = api.get("/v1/jobs/" + longer + "?expand=attempts").json();
        assertThat(handedBack.path("state").asText()).isEqualTo("PENDING");
        assertThat(handedBack.path("failures").asInt()).isZero();
        assertThat(handedBack.path("lost").asInt()).isZero();
        assertThat(handedBack.path("attempts")).isEmpty();
        assertThat(api.job(waiting).path("epoch").asInt()).as("claims of a job that came too late").isZero();
        assertThat(streams.pending("drain")).isZero();
        assertThat(streams.length("drain")).isEqualTo(2);

        try (MillraceProcess next = processes.start("worker", "MILLRACE_QUEUES", "drain").awaitReady()) {
            await().until(() -> isRunning(longer));
            assertThat(api.job(longer).path("epoch").asInt()).isEqualTo(2);
            assertThat(api.ended(waiting).path("epoch").asInt()).isEqualTo(1);
        }
    }

    private static String sleep(int ms) {
        return "{\"type\":\"sleep\",\"queue\":\"drain\",\"timeout\":\"PT1H\",\"payload\":{\"ms\":" + ms + "}}";
    }

    private static boolean isRunning(String id) {
        return api.job(id).path("state").asText().equals("PROCESSING");
    }
}
