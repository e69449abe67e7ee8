package io.millrace.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import com.fasterxml.jackson.databind.JsonNode;

import io.millrace.support.Api;
import io.millrace.support.MillraceProcess;
import io.millrace.support.Streams;
import io.millrace.support.TcpProxy;
import io.millrace.support.TestServers;

/** Accepting jobs does not need Redis. */
@Timeout(180)
@DisplayNameGeneration(ReplaceUnderscores.class)
class RedisOutageIT {

    private static final Duration ACCEPTED_WITHIN = Duration.ofSeconds(2);
    private static final Duration SOON = Duration.ofSeconds(15);
    private static final int JOBS = 10;

    private static TcpProxy proxy;
    private static Processes processes;
    private static MillraceProcess process;
    private static Streams streams;

    @BeforeAll
    static void start() {
        String redis = TestServers.freshRedis();
        streams = new Streams(redis);
        proxy = new TcpProxy(URI.create(redis));
        processes = new Processes(TestServers.migratedDatabase(), proxy.through(redis));
        process = processes.start("all").awaitReady();
    }

    @AfterAll
    static void stop() {
        processes.close();
        proxy.close();
    }

    @AfterEach
    void resume() {
        proxy.resume();
    }

    @Test
    void jobs_are_accepted_while_redis_is_down_and_run_when_it_is_back() {
        runs();
        proxy.cut();
        String scheduled = process.api().enqueue("{\"type\":\"echo\",\"delay\":\"PT1S\"}");
        List<String> ids = acceptedInTime();
        proxy.resume();
        long back = System.nanoTime();
        runOnce(ids);
        runOnce(List.of(scheduled));
        assertThat(Duration.ofNanos(System.nanoTime() - back)).isLessThan(SOON);
    }

    @Test
    void jobs_are_accepted_while_redis_does_not_answer_and_run_when_it_does() {
        runs();
        proxy.hang();
        List<String> ids = acceptedInTime();
        proxy.resume();
        runOnce(ids);
    }

    /** So that the connections are there and the application has no reason to expect the worst. */
    private static void runs() {
        assertThat(process.api().run("{\"type\":\"echo\"}").path("state").asText()).isEqualTo("COMPLETED");
    }

    private static List<String> acceptedInTime() {
        List<String> ids = new ArrayList<>();
        for (int i = 0; i < JOBS; i++) {
            long asked = System.nanoTime();
            Api.Answer answer = process.api().post("/v1/jobs", "{\"type\":\"echo\",\"payload\":" + i + "}");
            assertThat(answer.status()).as(answer.toString()).isEqualTo(201);
            assertThat(Duration.ofNanos(System.nanoTime() - asked)).isLessThan(ACCEPTED_WITHIN);
            ids.add(answer.json().path("id").asText());
        }
        assertThat(ids).allSatisfy(
                id -> assertThat(process.api().job(id).path("state").asText()).as("without Redis").isEqualTo("PENDING"));
        return ids;
    }

    private static void runOnce(List<String> ids) {
        for (String id : ids) {
            JsonNode job = process.api().ended(id);
            assertThat(job.path("state").asText()).isEqualTo("COMPLETED");
            assertThat(job.path("epoch").asInt()).isEqualTo(1);
        }
        Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> streams.length("default") == 0);
    }
}
