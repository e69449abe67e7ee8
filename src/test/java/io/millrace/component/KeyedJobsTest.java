package io.millrace.component;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import com.fasterxml.jackson.databind.JsonNode;

import io.millrace.support.Api;
import io.millrace.support.PlainRedis;
import io.quarkus.test.junit.QuarkusTest;

/** Jobs that are handed in with an idempotency key or a unique key. */
@QuarkusTest
class KeyedJobsTest extends RunningApp {
    private static final String KEY = "Idempotency-Key";
    private static final String NOBODY = "no-worker-reads-this";

    final String tag = tag();
    final String key = UUID.randomUUID().toString();

    private String job(String fields) {
        return "{\"type\":\"echo\",\"queue\":\"" + NOBODY + "\",\"tags\":[\"" + tag + "\"]" + fields + "}";
    }

    private static JsonNode problem(Api.Answer answer, int status, String name) {
        assertThat(answer.status()).as(answer.toString()).isEqualTo(status);
        assertThat(answer.json().path("type").asText()).isEqualTo("urn:millrace:problem:" + name);
        return answer.json();
    }

    private static String id(Api.Answer answer) {
        assertThat(answer.status()).as(answer.toString()).isIn(200, 201);
        return answer.json().path("id").asText();
    }

    private static void assertReplays(Api.Answer repeat, Api.Answer first) {
        assertThat(repeat.status()).isEqualTo(first.status());
        assertThat(repeat.body()).isEqualTo(first.body());
        assertThat(repeat.header("Location")).isEqualTo(first.header("Location"));
        assertThat(repeat.header("Idempotency-Replayed")).contains("true");
        assertThat(first.header("Idempotency-Replayed")).isEmpty();
    }

    private static String hintOf(String key) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(("default\n" + key).getBytes(StandardCharsets.UTF_8));
            return "idem:" + HexFormat.of().formatHex(hash);
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<String> redis(String command) {
        return PlainRedis.ask(setting("millrace.redis.url"), command);
    }

    private List<Api.Answer> postAtOnce(int count, String body) {
        List<CompletableFuture<Api.Answer>> asked = Stream.generate(() -> api.postAsync("/v1/jobs", body)).limit(count)
                .toList();
        return asked.stream().map(CompletableFuture::join).toList();
    }

    private static Set<String> ids(List<Api.Answer> answers) {
        return answers.stream().map(KeyedJobsTest::id).collect(Collectors.toCollection(TreeSet::new));
    }

    @Nested
    class WithAnIdempotencyKey {
        @Test
        void a_repeated_request_is_answered_as_the_first_time_and_stores_nothing() {
            Api.Answer first = api.post("/v1/jobs", job(""), KEY, key);
            assertThat(first.status()).isEqualTo(201);
            assertReplays(api.post("/v1/jobs", job(""), KEY, key), first);
            assertReplays(api.post("/v1/jobs", job(",\"idempotencyKey\":\"" + key + "\"")), first);
            assertReplays(api.post("/v1/jobs", job(""), KEY, "\"" + key + "\""), first);
            assertThat(countTagged(tag)).isOne();
        }

        @Test
        void the_answer_is_the_first_one_though_the_job_has_ended_or_is_gone() {
            String ready = "{\"type\":\"echo\",\"tags\":[\"" + tag + "\"]}";
            Api.Answer first = api.post("/v1/jobs", ready, KEY, key);
            assertThat(api.ended(id(first)).path("state").asText()).isEqualTo("COMPLETED");
            assertReplays(api.post("/v1/jobs", ready, KEY, key), first);
            query("with gone as (delete from job where id = '" + id(first) + "' returning 1) select count(*) from gone");
            assertReplays(api.post("/v1/jobs", ready, KEY, key), first);
            assertThat(countTagged(tag)).isZero();
        }

        @ParameterizedTest
        @ValueSource(strings = {",\"payload\":1", ",\"priority\":\"high\"", ",\"delay\":\"PT1H\"", ",\"timeout\":\"PT1S\"",
                ",\"runAt\":\"2020-01-01T00:00:00Z\"", ",\"retry\":{\"maxAttempts\":2}", ",\"retry\":{\"base\":\"PT1S\"}",
                ",\"uniqueKey\":\"u\""})
        void another_request_with_the_same_key_is_refused(String difference) {
            api.post("/v1/jobs", job(""), KEY, key);
            problem(api.post("/v1/jobs", job(difference), KEY, key), 422, "idempotency-key-reused");
            assertThat(countTagged(tag)).isOne();
        }

        @Test
        void blanks_between_the_fields_and_their_order_make_no_other_request() {
            Api.Answer first = api.post("/v1/jobs", "{\"type\":\"echo\",\"payload\":[1, 2],\"delay\":\"PT1H\"}", KEY, key);
            assertReplays(api.post("/v1/jobs", "{ \"delay\" : \"PT60M\", \"payload\" : [1, 2], \"type\":\"echo\" }", KEY, key),
                    first);
        }

        @Test
        void of_many_equal_requests_at_once_one_stores_the_job_and_all_get_its_id() {
            List<Api.Answer> answers = postAtOnce(50, job(",\"idempotencyKey\":\"" + key + "\""));
            assertThat(ids(answers)).hasSize(1);
            assertThat(answers.stream().filter(answer -> answer.header("Idempotency-Replayed").isEmpty())).hasSize(1);
            assertThat(countTagged(tag)).isOne();
        }

        @Test
        void of_many_different_requests_with_one_key_at_once_one_is_stored() {
            List<CompletableFuture<Api.Answer>> asked = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                asked.add(api.postAsync("/v1/jobs", job(",\"payload\":" + i + ",\"idempotencyKey\":\"" + key + "\"")));
            }
            assertThat(asked.stream().map(one -> one.join().status()).sorted().toList()).startsWith(201).endsWith(422)
                    .containsOnlyOnce(201);
            assertThat(countTagged(tag)).isOne();
        }

        /** A process died between the hint and the insert. */
        @Test
        void a_key_that_only_redis_knows_stores_the_job() {
            redis("SET " + hintOf(key) + " " + UUID.randomUUID());
            Api.Answer first = api.post("/v1/jobs", job(""), KEY, key);
            assertThat(first.status()).isEqualTo(201);
            assertThat(first.header("Idempotency-Replayed")).isEmpty();
            assertThat(countTagged(tag)).isOne();
        }

        @Test
        void repeats_are_counted_by_the_place_that_found_them() {
            double byHint = replays("hint");
            double byInsert = replays("insert");
            api.post("/v1/jobs", job(""), KEY, key);
            api.post("/v1/jobs", job(""), KEY, key);
            assertThat(replays("hint")).isEqualTo(byHint + 1);
            redis("DEL " + hintOf(key));
            api.post("/v1/jobs", job(""), KEY, key);
            api.post("/v1/jobs", job(",\"payload\":\"another request\""), KEY, key);
            assertThat(replays("insert")).isEqualTo(byInsert + 1);
            assertThat(replays("hint")).isEqualTo(byHint + 1);
        }

        private double replays(String place) {
            Api management = new Api("http://localhost:" + setting("quarkus.management.test-port"));
            return management.get("/q/metrics").body().lines()
                    .filter(line -> line.startsWith("millrace_idempotent_replays_total{")
                            && line.contains("place=\"" + place + "\""))
                    .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1))).findFirst()
                    .orElseThrow();
        }

        @Test
        void the_hint_is_where_this_test_thinks_and_lives_as_long_as_the_key() {
            Api.Answer first = api.post("/v1/jobs", job(""), KEY, key);
            assertThat(redis("GET " + hintOf(key))).last().isEqualTo(id(first));
            assertThat(redis("TTL " + hintOf(key)).get(0)).isBetween(":86000", ":86400");
            assertThat(
                    query("select extract(epoch from expires_at - now())::int from idempotency_key where key = '" + key + "'"))
                    .isBetween("86000", "86400");
        }

        @Test
        void a_job_whose_id_redis_has_wrong_is_answered_from_postgresql() {
            Api.Answer first = api.post("/v1/jobs", job(""), KEY, key);
            redis("SET " + hintOf(key) + " " + UUID.randomUUID());
            assertReplays(api.post("/v1/jobs", job(""), KEY, key), first);
        }

        @Test
        void a_redis_that_has_forgotten_the_key_changes_nothing() {
            Api.Answer first = api.post("/v1/jobs", job(""), KEY, key);
            redis("DEL " + hintOf(key));
            assertReplays(api.post("/v1/jobs", job(""), KEY, key), first);
            assertThat(countTagged(tag)).isOne();
        }

        @Test
        void a_key_whose_time_is_up_is_free() {
            String first = id(api.post("/v1/jobs", job(""), KEY, key));
            query("with old as (update idempotency_key set expires_at = now() where key = '" + key
                    + "' returning 1) select count(*)"
                    + " from old");
            Api.Answer second = api.post("/v1/jobs", job(",\"payload\":2"), KEY, key);
            assertThat(id(second)).isNotEqualTo(first);
            assertReplays(api.post("/v1/jobs", job(",\"payload\":2"), KEY, key), second);
        }

        @Test
        void jobs_of_a_bulk_request_have_keys_of_their_own() {
            String one = job(",\"idempotencyKey\":\"" + key + "\"");
            String other = job(",\"idempotencyKey\":\"" + key + "-2\"");
            String bulk = "[" + String.join(",", one, other, one, job(""),
                    job(",\"payload\":1,\"idempotencyKey\":\"" + key + "\"")) + "]";
            JsonNode items = api.post("/v1/jobs/bulk", bulk).json().path("items");

            assertThat(items).extracting(item -> item.path("status").asInt()).containsExactly(201, 201, 201, 201, 422);
            assertThat(items).extracting(item -> item.path("replayed").asBoolean()).containsExactly(false, false, true, false,
                    false);
            assertThat(items.path(2).path("job")).isEqualTo(items.path(0).path("job"));
            assertThat(countTagged(tag)).isEqualTo(3);
            assertThat(api.post("/v1/jobs/bulk", bulk).json().path("items"))
                    .extracting(item -> item.path("replayed").asBoolean()).containsExactly(true, true, true, false, false);
            assertThat(countTagged(tag)).isEqualTo(4);
        }

        @Test
        void one_key_for_a_whole_bulk_request_is_refused() {
            JsonNode json = problem(api.post("/v1/jobs/bulk", "[" + job("") + "]", KEY, key), 400, "invalid-request");
            assertThat(json.path("detail").asText()).contains("idempotencyKey");
            assertThat(countTagged(tag)).isZero();
        }

        @ParameterizedTest
        @ValueSource(strings = {"", "a b", "\"\""})
        void a_key_that_cannot_be_used_is_refused(String bad) {
            JsonNode json = problem(api.post("/v1/jobs", job(""), KEY, bad.isEmpty() ? "k".repeat(256) : bad), 400,
                    "invalid-request");
            assertThat(json.path("detail").asText()).contains(KEY, "1 to 255 visible ASCII characters");
            assertThat(countTagged(tag)).isZero();
        }

        @Test
        void two_different_keys_are_refused() {
            problem(api.post("/v1/jobs", job(",\"idempotencyKey\":\"other\""), KEY, key), 400, "invalid-request");
            assertThat(id(api.post("/v1/jobs", job(",\"idempotencyKey\":\"" + key + "\""), KEY, key))).isNotEmpty();
        }

        @Test
        void a_job_that_postgresql_cannot_keep_does_not_take_its_key_and_fails_no_other() {
            String bad = job(",\"payload\":1e999999999,\"idempotencyKey\":\"" + key + "\"");
            String tooDeep = job(",\"payload\":{\"a\":\"\\u0000\"},\"idempotencyKey\":\"" + key + "\"");
            assertThat(api.post("/v1/jobs", tooDeep).status()).isEqualTo(422);
            assertThat(api.post("/v1/jobs", bad).status()).isIn(201, 422);
            assertThat(api.post("/v1/jobs", job(""), KEY, key + "-2").status()).isEqualTo(201);
        }

        @Test
        void a_scheduled_job_is_repeated_too_and_a_ready_one_runs_once() {
            String scheduled = "{\"type\":\"echo\",\"delay\":\"PT0.2S\"}";
            Api.Answer first = api.post("/v1/jobs", scheduled, KEY, key);
            assertReplays(api.post("/v1/jobs", scheduled, KEY, key), first);
            JsonNode ended = api.ended(id(first));
            assertThat(ended.path("state").asText()).isEqualTo("COMPLETED");
            assertThat(ended.path("epoch").asInt()).isOne();
        }
    }

    @Nested
    class WithAUniqueKey {
        private String unique(String fields) {
            return job(",\"uniqueKey\":\"" + key + "\"" + fields);
        }

        private Api.Answer post(String fields) {
            return api.post("/v1/jobs", unique(fields));
        }

        @Test
        void the_job_that_is_there_is_answered() {
            Api.Answer first = post("");
            assertThat(first.status()).isEqualTo(201);
            assertThat(first.json().has("uniqueKey")).isFalse();
            Api.Answer second = post(",\"payload\":2,\"onConflict\":\"return\"");
            assertThat(second.status()).isEqualTo(200);
            assertThat(id(second)).isEqualTo(id(first));
            assertThat(second.json().path("uniqueKey").asText()).isEqualTo("returned");
            assertThat(second.header("Location").orElseThrow()).endsWith(id(first));
            assertThat(api.job(id(first)).path("payload").toString()).isEqualTo("{}");
            assertThat(api.job(id(first)).path("uniqueKey").asText()).isEqualTo(key);
            assertThat(api.get("/v1/jobs?tag=" + tag).json().path("data").path(0).path("uniqueKey").asText()).isEqualTo(key);
            assertThat(countTagged(tag)).isOne();
        }

        @Test
        void the_key_is_one_of_the_type_and_free_when_the_job_has_ended() {
            String first = id(post(""));
            String other = id(api.post("/v1/jobs", unique("").replace("\"echo\"", "\"sleep\"")));
            assertThat(other).isNotEqualTo(first);
            api.send("POST", "/v1/jobs/" + first + "/cancel");
            Api.Answer second = post("");
            assertThat(second.status()).isEqualTo(201);
            assertThat(id(second)).isNotEqualTo(first);
        }

        @Test
        void a_job_that_would_be_the_second_is_rejected_and_told_which_is_the_first() {
            String first = id(post(""));
            JsonNode json = problem(post(",\"onConflict\":\"reject\""), 409, "not-unique");
            assertThat(json.path("detail").asText()).contains(first);
            assertThat(json.path("jobId").asText()).isEqualTo(first);
            assertThat(countTagged(tag)).isOne();
        }

        @Test
        void a_job_that_waits_is_replaced() {
            String first = id(post(",\"payload\":1,\"delay\":\"PT1H\""));
            Api.Answer second = post(
                    ",\"payload\":2,\"timeout\":\"PT7S\",\"retry\":{\"maxAttempts\":9},\"onConflict\":\"replace\"");
            assertThat(second.status()).isEqualTo(200);
            assertThat(id(second)).isEqualTo(first);
            assertThat(second.json().path("uniqueKey").asText()).isEqualTo("replaced");
            assertThat(second.json().path("state").asText()).isEqualTo("SCHEDULED");
            JsonNode job = api.job(first);
            assertThat(job.path("payload").asInt()).isEqualTo(2);
            assertThat(job.path("maxAttempts").asInt()).isEqualTo(9);
            assertThat(query("select options ->> 'timeoutMs' from job where id = '" + first + "'")).isEqualTo("7000");
        }

        @Test
        void a_job_that_runs_is_not_replaced() {
            String body = "{\"type\":\"sleep\",\"payload\":{\"ms\":20000},\"uniqueKey\":\"" + key + "\"";
            Api.Answer first = api.post("/v1/jobs", body + "}");
            await().until(() -> api.job(id(first)).path("state").asText().equals("PROCESSING"));
            problem(api.post("/v1/jobs", body + ",\"onConflict\":\"replace\"}"), 409, "not-unique");
            api.send("POST", "/v1/jobs/" + id(first) + "/cancel");
        }

        @Test
        void of_many_at_once_one_is_stored_whatever_is_asked_for() {
            assertThat(ids(postAtOnce(50, unique("")))).hasSize(1);
            assertThat(ids(postAtOnce(50, unique(",\"onConflict\":\"replace\"")))).hasSize(1);
            assertThat(postAtOnce(50, unique(",\"onConflict\":\"reject\""))).allSatisfy(
                    answer -> assertThat(answer.status()).isEqualTo(409));
            String same = unique(",\"onConflict\":\"reject\",\"idempotencyKey\":\"" + key + "\"");
            assertThat(postAtOnce(50, same)).allSatisfy(answer -> problem(answer, 409, "not-unique"));
            assertThat(countTagged(tag)).isOne();
        }

        @Test
        void of_a_bulk_request_the_last_replacement_stays() {
            String bulk = Stream.of(1, 2, 3, 4).map(n -> unique(",\"onConflict\":\"replace\",\"payload\":" + n))
                    .collect(Collectors.joining(",", "[", "]"));
            JsonNode items = api.post("/v1/jobs/bulk", bulk).json().path("items");
            assertThat(items).extracting(item -> item.path("status").asInt()).containsExactly(201, 200, 200, 200);
            assertThat(api.job(items.path(0).path("job").path("id").asText()).path("payload").asInt()).isEqualTo(4);
        }

        @Test
        void a_repeated_request_is_a_repeat_first_and_only_then_a_conflict() {
            Api.Answer created = api.post("/v1/jobs", unique(",\"onConflict\":\"reject\""), KEY, key);
            assertReplays(api.post("/v1/jobs", unique(",\"onConflict\":\"reject\""), KEY, key), created);

            String replace = unique(",\"onConflict\":\"replace\",\"payload\":1");
            Api.Answer replaced = api.post("/v1/jobs", replace, KEY, key + "-2");
            assertThat(id(post(",\"onConflict\":\"replace\",\"payload\":2"))).isEqualTo(id(created));
            assertReplays(api.post("/v1/jobs", replace, KEY, key + "-2"), replaced);
            assertThat(api.job(id(created)).path("payload").asInt()).as("the repeat undid nothing").isEqualTo(2);

            problem(api.post("/v1/jobs", unique(",\"onConflict\":\"reject\",\"payload\":9"), KEY, key + "-3"), 409,
                    "not-unique");
            assertThat(query("select count(*) from idempotency_key where key = '" + key + "-3'")).isEqualTo("0");
        }

        @Test
        void a_job_is_not_retried_while_another_has_its_key() {
            String first = id(post(""));
            api.send("POST", "/v1/jobs/" + first + "/cancel");
            String second = id(post(""));
            problem(api.post("/v1/jobs/" + first + "/retry", ""), 409, "not-unique");
            api.send("POST", "/v1/jobs/" + second + "/cancel");
            assertThat(api.post("/v1/jobs/" + first + "/retry", "").status()).isEqualTo(200);
        }

        @Test
        void what_to_do_on_a_conflict_needs_a_key() {
            problem(api.post("/v1/jobs", job(",\"onConflict\":\"reject\"")), 400, "invalid-request");
            problem(post(",\"onConflict\":\"ignore\""), 400, "invalid-request");
            problem(api.post("/v1/jobs", job(",\"uniqueKey\":\"\"")), 400, "invalid-request");
        }
    }
}
