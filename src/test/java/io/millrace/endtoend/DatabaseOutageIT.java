package io.millrace.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import io.millrace.support.Api;
import io.millrace.support.MillraceProcess;
import io.millrace.support.TcpProxy;
import io.millrace.support.TestServers;

/** What the API says while PostgreSQL is slow or away, with a heap of 256 MB. */
@Timeout(180)
@DisplayNameGeneration(ReplaceUnderscores.class)
class DatabaseOutageIT {

    private static final int MOST_IN_FLIGHT = 50;
    private static final int FLOOD = 400;
    /** Of an INSERT; a request may have to wait for the one before its own. */
    private static final Duration INSERT_LIMIT = Duration.ofSeconds(3);
    private static final Duration ANSWERED_WITHIN = INSERT_LIMIT.multipliedBy(3);
    private static final Pattern ID = Pattern.compile("\"id\":\"([0-9a-f-]{36})\"");

    private static String database;
    private static TcpProxy proxy;
    private static Processes processes;
    private static MillraceProcess process;
    private static Api api;

    @BeforeAll
    static void start() {
        database = TestServers.migratedDatabase();
        proxy = new TcpProxy(URI.create(database));
        processes = new Processes(proxy.through(database), TestServers.freshRedis());
        process = processes.start("api", "MILLRACE_API_MAX_IN_FLIGHT", Integer.toString(MOST_IN_FLIGHT),
                "MILLRACE_INTAKE_TIMEOUT", INSERT_LIMIT.toSeconds() + "s").awaitReady();
        api = process.api();
    }

    @AfterAll
    static void stop() {
        processes.close();
        proxy.close();
    }

    @AfterEach
    void resume() {
        proxy.resume();
        await().until(() -> gauge("millrace_requests_in_flight") == 0);
        await().untilAsserted(() -> assertThat(api.post("/v1/jobs", job("back")).status()).isEqualTo(201));
    }

    private static ConditionFactory await() {
        return Awaitility.await().atMost(Duration.ofSeconds(60)).pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(50));
    }

    private static String job(String payload) {
        return "{\"type\":\"echo\",\"payload\":\"" + payload + "\"}";
    }

    private static double gauge(String name) {
        Matcher value = Pattern.compile("(?m)^" + name + "(?:\\{.*\\})? (\\S+)$").matcher(process.management().get("/q/metrics")
                .body());
        assertThat(value.find()).as(name).isTrue();
        return Double.parseDouble(value.group(1));
    }

    private static int count(String condition) {
        try (Connection connection = TestServers.connect(database);
                ResultSet rows = connection.createStatement().executeQuery("select count(*) from job where " + condition)) {
            rows.next();
            return rows.getInt(1);
        } catch (SQLException e) {
            throw new IllegalStateException(condition, e);
        }
    }

    private static void assertTellsWhenToComeBack(Api.Answer answer) {
        assertThat(answer.status()).as(answer.toString()).isEqualTo(503);
        assertThat(answer.header("Retry-After")).contains("1");
        assertThat(answer.mediaType()).isEqualTo("application/problem+json");
        assertThat(answer.json().path("hint").asText()).isNotBlank();
    }

    private static List<Api.Answer> answers(List<CompletableFuture<Api.Answer>> asked, Duration limit) {
        return asked.stream().map(one -> one.orTimeout(limit.toSeconds(), TimeUnit.SECONDS).join()).toList();
    }

    @Test
    void a_flood_is_answered_in_time_and_holds_no_more_than_its_bound_and_what_was_accepted_is_there() {
        api.enqueue(job("warm"));
        proxy.hang();
        List<CompletableFuture<Api.Answer>> asked = new ArrayList<>();
        for (int i = 0; i < FLOOD; i++) {
            asked.add(api.postAsync("/v1/jobs", job("flood")));
        }
        await().until(() -> gauge("millrace_requests_refused_total") > 0);
        assertThat(gauge("millrace_requests_in_flight")).isBetween(1.0, (double) MOST_IN_FLIGHT);

        List<Api.Answer> answers = answers(asked, ANSWERED_WITHIN);
        answers.forEach(DatabaseOutageIT::assertTellsWhenToComeBack);
        assertThat(answers.stream().filter(answer -> answer.body().contains(":busy")).count())
                .isBetween(1L, (long) FLOOD - 1);
        assertThat(gauge("millrace_request_bytes_in_flight")).isZero();
    }

    @Test
    void of_a_flood_during_which_postgresql_comes_and_goes_exactly_what_was_accepted_must_be_there() {
        List<CompletableFuture<Api.Answer>> asked = new ArrayList<>();
        for (int round = 0; round < 6; round++) {
            for (int i = 0; i < MOST_IN_FLIGHT / 2; i++) {
                asked.add(api.postAsync("/v1/jobs", job("wave")));
            }
            if (round % 2 == 0) {
                proxy.hang();
            } else {
                proxy.resume();
                await().until(() -> gauge("millrace_requests_in_flight") == 0);
            }
        }
        List<Api.Answer> answers = answers(asked, ANSWERED_WITHIN);
        Set<String> accepted = answers.stream().filter(answer -> answer.status() == 201)
                .map(answer -> answer.json().path("id").asText()).collect(Collectors.toSet());
        answers.stream().filter(answer -> answer.status() != 201).forEach(DatabaseOutageIT::assertTellsWhenToComeBack);
        assertThat(accepted).isNotEmpty();
        assertThat(count("id in ('" + String.join("','", accepted) + "')")).isEqualTo(accepted.size());
    }

    @Test
    void bodies_are_bounded_in_bytes_too() {
        proxy.hang();
        String large = "[" + job("x".repeat(4_000_000)) + "]";
        String many = "[" + "{\"type\":\"echo\"},".repeat(9_999) + "{\"type\":\"echo\"}]";
        List<CompletableFuture<Api.Answer>> asked = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            asked.add(api.postAsync("/v1/jobs/bulk", i % 2 == 0 ? large : many));
        }
        await().until(() -> gauge("millrace_requests_refused_total") > 0);
        assertThat(gauge("millrace_request_bytes_in_flight")).isLessThanOrEqualTo(32 * 1_024 * 1_024);

        for (Api.Answer answer : answers(asked, ANSWERED_WITHIN)) {
            assertThat(answer.status()).isIn(200, 503);
            Matcher id = ID.matcher(answer.body());
            assertThat(id.find()).as("accepted while nothing came through").isFalse();
        }
        assertThat(process.output() + process.errors()).doesNotContain("OutOfMemory");
    }

    @Test
    void a_client_that_is_still_sending_gets_the_answer_and_an_orderly_end() throws IOException {
        proxy.hang();
        for (int i = 0; i < MOST_IN_FLIGHT; i++) {
            api.postAsync("/v1/jobs", job("in the way"));
        }
        await().until(() -> gauge("millrace_requests_in_flight") == MOST_IN_FLIGHT);
        URI address = api.base();
        try (Socket client = new Socket(address.getHost(), address.getPort())) {
            client.setSoTimeout(20_000);
            byte[] half = new byte[100_000];
            OutputStream out = client.getOutputStream();
            out.write(("POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 200000\r\n\r\n")
                    .getBytes(StandardCharsets.US_ASCII));
            out.write(half);
            out.flush();
            byte[] first = client.getInputStream().readNBytes(12);
            out.write(half); // the answer did not close the connection under its hands
            out.flush();
            String answer = new String(first, StandardCharsets.US_ASCII)
                    + new String(client.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
            assertThat(answer).startsWith("HTTP/1.1 503").containsIgnoringCase("connection: close")
                    .containsIgnoringCase("retry-after: 1");
        }
    }

    @Test
    void those_who_wait_for_the_end_of_a_job_keep_nobody_out() {
        String id = api.enqueue("{\"type\":\"echo\",\"delay\":\"PT1H\"}");
        List<CompletableFuture<Api.Answer>> waiting = new ArrayList<>();
        for (int i = 0; i < 2 * MOST_IN_FLIGHT; i++) {
            waiting.add(api.getAsync("/v1/jobs/" + id + "?wait=8s"));
            if (i % (MOST_IN_FLIGHT / 2) == 0) {
                await().until(() -> gauge("millrace_requests_in_flight") == 0);
            }
        }
        await().until(() -> gauge("millrace_requests_in_flight") == 0);
        assertThat(waiting).allSatisfy(one -> assertThat(one).isNotDone());
        assertThat(api.post("/v1/jobs", job("beside them")).status()).isEqualTo(201);

        answers(waiting, Duration.ofSeconds(30)).forEach(answer -> assertThat(answer.status()).isEqualTo(200));
    }

    @Test
    void a_job_whose_INSERT_never_arrives_is_answered_503_and_does_not_exist() {
        api.enqueue(job("warm"));
        String payload = "request-" + UUID.randomUUID();
        proxy.loseRequest(payload);

        assertTellsWhenToComeBack(api.post("/v1/jobs", job(payload)));
        assertThat(proxy.hasLost()).isTrue();
        assertThat(count("payload::text like '%" + payload + "%'")).isZero();
    }

    @Test
    void a_job_whose_INSERT_is_not_answered_is_answered_503_and_exists_whole() {
        api.enqueue(job("warm"));
        String payload = "reply-" + UUID.randomUUID();
        proxy.loseReply(payload);

        Api.Answer answer = api.post("/v1/jobs", job(payload));
        assertTellsWhenToComeBack(answer);
        assertThat(answer.json().path("detail").asText()).isEqualTo("it is unknown whether the request took effect");
        assertThat(count("payload::text = '\"" + payload + "\"' and state = 'PENDING' and type = 'echo'")).isOne();
    }
}
