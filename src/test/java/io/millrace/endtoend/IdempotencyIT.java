package io.millrace.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import io.millrace.support.Api;
import io.millrace.support.MillraceProcess;
import io.millrace.support.PlainRedis;
import io.millrace.support.RedisNode;
import io.millrace.support.TcpProxy;
import io.millrace.support.TestServers;

/** Equal requests to two processes, and requests whose answer is lost. */
@Timeout(180)
@DisplayNameGeneration(ReplaceUnderscores.class)
class IdempotencyIT {
    private static final String KEY = "Idempotency-Key";
    private static final int AT_ONCE = 50;
    private static final int KEYS = 20;

    private static String database;
    private static String redis;
    private static TcpProxy databaseProxy;
    private static TcpProxy redisProxy;
    private static Processes processes;
    private static Api api;
    private static Api other;

    @BeforeAll
    static void start() {
        database = TestServers.migratedDatabase();
        redis = TestServers.freshRedis();
        databaseProxy = new TcpProxy(URI.create(database));
        redisProxy = new TcpProxy(URI.create(redis));
        processes = new Processes(databaseProxy.through(database), redisProxy.through(redis));
        MillraceProcess one = processes.start("api");
        MillraceProcess two = processes.start("api");
        api = one.awaitReady().api();
        other = two.awaitReady().api();
    }

    @AfterAll
    static void stop() {
        processes.close();
        databaseProxy.close();
        redisProxy.close();
    }

    @AfterEach
    void resume() {
        databaseProxy.resume();
        redisProxy.resume();
    }

    private static String job(String payload, String key) {
        return "{\"type\":\"echo\",\"payload\":\"" + payload + "\",\"idempotencyKey\":\"" + key + "\"}";
    }

    private static int count(String payload) {
        try (Connection connection = TestServers.connect(database);
                ResultSet rows = connection.createStatement()
                        .executeQuery("select count(*) from job where payload::text = '\"" + payload + "\"'")) {
            rows.next();
            return rows.getInt(1);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void of_fifty_equal_requests_through_two_processes_one_stores_the_job() {
        for (int round = 0; round < KEYS; round++) {
            String key = "race-" + UUID.randomUUID();
            boolean isFlushed = round % 2 == 1;
            List<CompletableFuture<Api.Answer>> asked = new ArrayList<>();
            for (int i = 0; i < AT_ONCE; i++) {
                asked.add((i % 2 == 0 ? api : other).postAsync("/v1/jobs", job(key, key)));
                if (isFlushed && i % 10 == 5) {
                    PlainRedis.ask(redis, "FLUSHDB");
                }
            }
            List<Api.Answer> answers = asked.stream().map(CompletableFuture::join).toList();
            assertThat(answers).allSatisfy(answer -> assertThat(answer.status()).as(answer.toString()).isEqualTo(201));
            assertThat(answers.stream().map(Api.Answer::body).distinct()).hasSize(1);
            assertThat(answers.stream().filter(answer -> answer.header("Idempotency-Replayed").isEmpty())).hasSize(1);
            assertThat(count(key)).isOne();
        }
    }

    @Test
    void of_fifty_requests_with_one_unique_key_through_two_processes_one_stores_the_job() {
        String payload = "unique-" + UUID.randomUUID();
        String body = "{\"type\":\"echo\",\"payload\":\"" + payload + "\",\"uniqueKey\":\"" + payload + "\"}";
        List<CompletableFuture<Api.Answer>> asked = new ArrayList<>();
        for (int i = 0; i < AT_ONCE; i++) {
            asked.add((i % 2 == 0 ? api : other).postAsync("/v1/jobs", body));
        }
        List<Api.Answer> answers = asked.stream().map(CompletableFuture::join).toList();
        assertThat(answers.stream().filter(answer -> answer.status() == 201)).hasSize(1);
        assertThat(answers).allSatisfy(answer -> assertThat(answer.status()).isIn(200, 201));
        assertThat(answers.stream().map(answer -> answer.json().path("id").asText()).distinct()).hasSize(1);
        assertThat(count(payload)).isOne();
    }

    @Test
    void a_request_of_which_nobody_knows_whether_it_was_committed_is_repeated_and_stores_one_job() {
        api.post("/v1/jobs", job("warm", UUID.randomUUID().toString()));
        String payload = "reply-" + UUID.randomUUID();
        databaseProxy.loseReply(payload);

        Api.Answer lost = api.post("/v1/jobs", job(payload, payload));
        assertThat(lost.status()).as(lost.toString()).isEqualTo(503);
        assertThat(lost.header("Retry-After")).isPresent();
        assertThat(databaseProxy.hasLost()).isTrue();

        Api.Answer repeated = repeated(other, job(payload, payload));
        assertThat(repeated.header("Idempotency-Replayed")).as("it was committed").contains("true");
        assertThat(repeated(api, job(payload, payload)).body()).isEqualTo(repeated.body());
        assertThat(count(payload)).isOne();
    }

    @Test
    void a_request_that_never_arrived_is_repeated_and_stores_one_job() {
        api.post("/v1/jobs", job("warm", UUID.randomUUID().toString()));
        String payload = "request-" + UUID.randomUUID();
        databaseProxy.loseRequest(payload);

        assertThat(api.post("/v1/jobs", job(payload, payload)).status()).isEqualTo(503);
        assertThat(PlainRedis.ask(redis, "DBSIZE").get(0)).as("Redis knows the key").isNotEqualTo(":0");
        Api.Answer repeated = repeated(other, job(payload, payload));
        assertThat(repeated.header("Idempotency-Replayed")).as("it was not committed").isEmpty();
        assertThat(count(payload)).isOne();
    }

    @Test
    void one_of_two_processes_is_killed_in_the_middle_of_fifty_equal_requests_and_one_job_is_stored() {
        for (int round = 0; round < 4; round++) {
            String key = "killed-" + UUID.randomUUID();
            MillraceProcess doomed = processes.start("api").awaitReady();
            Api third = doomed.api();
            third.post("/v1/jobs", job("warm", UUID.randomUUID().toString()));
            List<CompletableFuture<Api.Answer>> asked = new ArrayList<>();
            for (int i = 0; i < AT_ONCE; i++) {
                asked.add((i % 2 == 0 ? api : third).postAsync("/v1/jobs", job(key, key)));
                if (i == 15 + 10 * round) {
                    doomed.kill();
                }
            }
            List<Api.Answer> answers = new ArrayList<>();
            int lost = 0;
            for (CompletableFuture<Api.Answer> one : asked) {
                try {
                    answers.add(one.join());
                } catch (java.util.concurrent.CompletionException gone) {
                    lost++;
                    answers.add(repeated(other, job(key, key))); // as its client would
                }
            }
            assertThat(lost).as("requests that the process took along").isPositive();
            assertThat(answers).allSatisfy(answer -> assertThat(answer.status()).as(answer.toString()).isEqualTo(201));
            assertThat(answers.stream().map(Api.Answer::body).distinct()).hasSize(1);
            assertThat(count(key)).isOne();
        }
    }

    @Test
    void fifty_equal_requests_store_one_job_though_redis_stops_forgets_and_comes_back_in_between() {
        try (RedisNode node = RedisNode.start()) {
            Processes apart = new Processes(databaseProxy.through(database), node.url());
            try (apart) {
                Api one = apart.start("api").awaitReady().api();
                Api two = apart.start("api").awaitReady().api();
                String key = "stopped-" + UUID.randomUUID();
                List<CompletableFuture<Api.Answer>> asked = new ArrayList<>();
                for (int i = 0; i < AT_ONCE; i++) {
                    asked.add((i % 2 == 0 ? one : two).postAsync("/v1/jobs", job(key, key)));
                    if (i == 10) {
                        PlainRedis.ask(node.url(), "FLUSHALL");
                    } else if (i == 20) {
                        node.restart(); // gone for a moment: some requests find nobody there
                    } else if (i == 40) {
                        Awaitility.await().atMost(Duration.ofSeconds(20)).ignoreExceptions()
                                .until(() -> PlainRedis.ask(node.url(), "FLUSHALL").contains("+OK"));
                    }
                }
                List<Api.Answer> answers = asked.stream().map(CompletableFuture::join).toList();
                assertThat(answers).allSatisfy(answer -> assertThat(answer.status()).as(answer.toString()).isEqualTo(201));
                assertThat(answers.stream().map(Api.Answer::body).distinct()).hasSize(1);
                assertThat(answers.stream().filter(answer -> answer.header("Idempotency-Replayed").isEmpty())).hasSize(1);
                assertThat(count(key)).isOne();
            }
        }
    }

    /** The 503 comes a moment before the pool knows that the connection is gone. */
    private static Api.Answer repeated(Api process, String body) {
        return Awaitility.await().atMost(Duration.ofSeconds(20)).pollDelay(Duration.ZERO)
                .until(() -> process.post("/v1/jobs", body), answer -> answer.status() != 503);
    }

    @Test
    void keys_work_while_redis_does_not_answer() {
        String key = UUID.randomUUID().toString();
        Api.Answer first = api.post("/v1/jobs", job(key, key));
        redisProxy.hang();
        long asked = System.nanoTime();
        Api.Answer again = other.post("/v1/jobs", job(key, key), KEY, key);
        assertThat(Duration.ofNanos(System.nanoTime() - asked)).isLessThan(Duration.ofSeconds(2));
        assertThat(again.body()).isEqualTo(first.body());
        redisProxy.resume();
        redisProxy.cut();
        assertThat(other.post("/v1/jobs", job(key, key)).body()).isEqualTo(first.body());
        assertThat(count(key)).isOne();
    }
}
