package io.millrace.component;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.is;

import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import com.fasterxml.jackson.databind.JsonNode;

import io.millrace.support.Api;
import io.millrace.support.QuarkusServers;
import io.quarkus.test.junit.QuarkusTest;

/** How jobs run and end. */
@QuarkusTest
class JobRunTest extends RunningApp {

    /** How late something may be on a machine that does much else; on a quiet one it is a few milliseconds. */
    private static final Duration PROMPTLY = Duration.ofSeconds(4);

    @ParameterizedTest
    @ValueSource(strings = {"{}", "null", "true", "\"\"", "1.0", "-0.0", "1e400", "12345678901234567890.12345678901234567890",
            "[1, 2,   3]", "{ \"b\" : 1 , \"a\" : [ { \"deep\" : [ [ ] ] } ] }", "{\"same\": 1, \"same\": 2}",
            "\"\\ud83d\\ude80 is 🚀, and é is \\u00e9, and \\/ is /\"", "\"tab\\tquote\\\"backslash\\\\u0000\""})
    void a_payload_comes_back_to_the_byte(String payload) {
        Api.Answer ended = api.get("/v1/jobs/" + api.enqueue("{\"type\":\"echo\",\"payload\":" + payload + "}") + "?wait=30s");

        assertThat(ended.json().path("state").asText()).isEqualTo("COMPLETED");
        assertThat(ended.body()).contains("\"payload\":" + payload + ",").contains("\"result\":" + payload + ",");
    }

    @Test
    void a_job_shows_what_became_of_it() {
        JsonNode job = api.run("{\"type\":\"echo\",\"payload\":{\"n\":1},\"priority\":\"low\",\"tags\":[\"a\",\"b:1\"]}");

        assertThat(job.path("state").asText()).isEqualTo("COMPLETED");
        assertThat(job.path("attempt").asInt()).isEqualTo(1);
        assertThat(job.path("epoch").asInt()).isEqualTo(1);
        assertThat(job.path("failures").asInt()).isZero();
        assertThat(job.path("lost").asInt()).isZero();
        assertThat(job.path("queue").asText()).isEqualTo(DEFAULT);
        assertThat(job.path("priority").asText()).isEqualTo("low");
        assertThat(job.path("tags")).extracting(JsonNode::asText).containsExactly("a", "b:1");
        assertThat(job.path("attempts")).isEmpty();
        assertThat(Api.time(job, "createdAt")).isBeforeOrEqualTo(Api.time(job, "startedAt"));
        assertThat(Api.time(job, "startedAt")).isBeforeOrEqualTo(Api.time(job, "finishedAt"));
        assertThat(job.has("running")).isFalse();
    }

    @Test
    void a_delayed_job_starts_when_it_is_due_and_not_before() {
        JsonNode job = api.run("{\"type\":\"echo\",\"delay\":\"PT0.7S\"}");

        assertThat(Api.time(job, "runAt")).isEqualTo(Api.time(job, "createdAt").plusMillis(700));
        startsWhenDue(job);
    }

    @Test
    void a_job_with_a_time_starts_then_and_not_before() {
        Instant runAt = Instant.now().plusMillis(900);
        Api.Answer accepted = api.post("/v1/jobs", "{\"type\":\"echo\",\"runAt\":\"" + runAt + "\"}");
        assertThat(accepted.json().path("state").asText()).isEqualTo("SCHEDULED");

        JsonNode job = api.ended(accepted.json().path("id").asText());
        assertThat(Duration.between(runAt, Api.time(job, "runAt")).abs()).isLessThan(Duration.ofMillis(1));
        startsWhenDue(job);
    }

    @Test
    void a_time_in_the_past_is_now() {
        JsonNode job = api.run("{\"type\":\"echo\",\"runAt\":\"2001-02-03T04:05:06+05:30\"}");
        assertThat(job.path("state").asText()).isEqualTo("COMPLETED");
    }

    private static void startsWhenDue(JsonNode job) {
        assertThat(job.path("state").asText()).isEqualTo("COMPLETED");
        assertThat(job.path("epoch").asInt()).as("claims").isEqualTo(1);
        assertThat(Api.time(job, "startedAt")).isBetween(Api.time(job, "runAt"), Api.time(job, "runAt").plus(PROMPTLY));
    }

    @Test
    void jobs_of_a_higher_priority_are_started_first() {
        String blocker = api.enqueue(onOneSlot("sleep", "normal", "{\"ms\":700}"));
        await().until(() -> api.job(blocker).path("state").asText(), is("PROCESSING"));
        List<String> ids = List.of(api.enqueue(onOneSlot("sleep", "low", "{\"ms\":10}")),
                api.enqueue(onOneSlot("sleep", "normal", "{\"ms\":10}")),
                api.enqueue(onOneSlot("sleep", "high", "{\"ms\":10}")));
        assertThat(api.job(blocker).path("state").asText()).as("the blocker still runs").isEqualTo("PROCESSING");

        List<Instant> starts = ids.stream().map(api::ended).map(job -> Api.time(job, "startedAt")).toList();
        assertThat(starts).as("starts of low, normal, high").isSortedAccordingTo(Comparator.reverseOrder())
                .doesNotHaveDuplicates();
    }

    private static String onOneSlot(String type, String priority, String payload) {
        return "{\"type\":\"%s\",\"queue\":\"%s\",\"priority\":\"%s\",\"payload\":%s}".formatted(type,
                QuarkusServers.ONE_SLOT_QUEUE, priority, payload);
    }

    @Test
    void a_job_that_fails_is_tried_again_after_1_and_2_seconds_and_remembers_why() {
        JsonNode job = api.run("{\"type\":\"flaky\",\"payload\":{\"failures\":2}}");

        assertThat(job.path("state").asText()).isEqualTo("COMPLETED");
        assertThat(job.path("result").path("succeededOnAttempt").asInt()).isEqualTo(3);
        assertThat(job.path("attempt").asInt()).isEqualTo(3);
        assertThat(job.path("failures").asInt()).isEqualTo(2);
        assertThat(job.has("failure")).as("failure of a job that succeeded").isFalse();
        JsonNode attempts = job.path("attempts");
        assertThat(attempts).extracting(attempt -> attempt.path("epoch").asInt()).containsExactly(1, 2);
        assertThat(attempts).extracting(attempt -> attempt.path("outcome").asText()).containsOnly("RETRIED");
        assertThat(attempts).extracting(attempt -> attempt.path("failure").path("message").asText())
                .containsExactly("attempt 1 of 2 that fail", "attempt 2 of 2 that fail");
        assertThat(attempts).extracting(attempt -> attempt.path("failure").path("error").asText())
                .containsOnly("TrialFailureException");
        waited(Api.time(attempts.get(0), "endedAt"), Api.time(attempts.get(1), "startedAt"), Duration.ofSeconds(1));
        waited(Api.time(attempts.get(1), "endedAt"), Api.time(job, "startedAt"), Duration.ofSeconds(2));
    }

    private static void waited(Instant from, Instant to, Duration expected) {
        assertThat(Duration.between(from, to)).isBetween(expected, expected.plus(PROMPTLY));
    }

    @Test
    void a_job_that_keeps_failing_is_given_up_after_its_attempts() {
        JsonNode job = api.run("{\"type\":\"fail\",\"payload\":{\"message\":\"no luck\"},"
                + "\"retry\":{\"maxAttempts\":3,\"backoff\":\"fixed\",\"base\":\"PT0.05S\"}}");

        assertThat(job.path("state").asText()).isEqualTo("FAILED");
        assertThat(job.path("failures").asInt()).isEqualTo(3);
        assertThat(job.path("attempt").asInt()).isEqualTo(3);
        assertThat(job.path("failure").path("reason").asText()).isEqualTo("ATTEMPTS_EXHAUSTED");
        assertThat(job.path("failure").path("message").asText()).isEqualTo("no luck");
        assertThat(job.path("attempts")).extracting(attempt -> attempt.path("outcome").asText())
                .containsExactly("RETRIED", "RETRIED", "DEAD_LETTERED");
        assertThat(job.has("result")).isFalse();
    }

    @Test
    void a_job_that_can_never_succeed_is_given_up_at_once() {
        JsonNode job = api.run("{\"type\":\"fail\",\"payload\":{\"message\":\"gone\",\"permanent\":true}}");

        assertThat(job.path("state").asText()).isEqualTo("FAILED");
        assertThat(job.path("failures").asInt()).isEqualTo(1);
        assertThat(job.path("failure").path("reason").asText()).isEqualTo("REJECTED");
        assertThat(job.path("failure").path("message").asText()).isEqualTo("gone");
        assertThat(job.path("attempts")).hasSize(1);
    }

    @Test
    void a_payload_that_its_type_cannot_read_is_given_up_at_once() {
        JsonNode job = api.run("{\"type\":\"sleep\",\"payload\":{\"ms\":\"soon\"}}");

        assertThat(job.path("state").asText()).isEqualTo("FAILED");
        assertThat(job.path("failure").path("reason").asText()).isEqualTo("REJECTED");
        assertThat(job.path("failure").path("message").asText()).contains("unreadable payload");
    }

    @Test
    void an_attempt_that_takes_longer_than_its_job_allows_fails() {
        JsonNode job = api.run("{\"type\":\"sleep\",\"payload\":{\"ms\":60000},\"timeout\":\"PT0.2S\","
                + "\"retry\":{\"maxAttempts\":2,\"backoff\":\"fixed\",\"base\":\"PT0S\"}}");

        assertThat(job.path("state").asText()).isEqualTo("FAILED");
        assertThat(job.path("failure").path("reason").asText()).isEqualTo("ATTEMPTS_EXHAUSTED");
        assertThat(job.path("attempts")).hasSize(2).allSatisfy(attempt -> {
            assertThat(attempt.path("failure").path("error").asText()).isEqualTo("AttemptTimeoutException");
            assertThat(Duration.between(Api.time(attempt, "startedAt"), Api.time(attempt, "endedAt")))
                    .isBetween(Duration.ofMillis(199), PROMPTLY);
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"\\u0000\"", "{\"a\\u0000b\":1}", "\"\\ud800\"", "\"\\ude00\\ud83d\"", "[\"\\ud83dx\"]"})
    void a_text_that_cannot_be_kept_is_refused_and_nothing_is_stored(String payload) {
        String tag = tag();
        Api.Answer answer = api.post("/v1/jobs", "{\"type\":\"echo\",\"tags\":[\"" + tag + "\"],\"payload\":" + payload + "}");

        assertThat(answer.status()).isEqualTo(422);
        assertThat(answer.json().path("type").asText()).isEqualTo("urn:millrace:problem:unreadable-text");
        assertThat(countTagged(tag)).isZero();
    }

    @Test
    void asking_for_a_job_can_wait_for_its_end() {
        String id = api.enqueue("{\"type\":\"sleep\",\"payload\":{\"ms\":400}}");
        assertThat(api.get("/v1/jobs/" + id + "?wait=20s").json().path("state").asText()).isEqualTo("COMPLETED");

        String other = api.enqueue("{\"type\":\"sleep\",\"payload\":{\"ms\":400}}");
        Api.Answer preferred = api.get("/v1/jobs/" + other, "Prefer", "respond-async, wait=20");
        assertThat(preferred.json().path("state").asText()).isEqualTo("COMPLETED");
    }

    @Test
    void a_wait_ends_when_its_time_is_up() {
        String id = api.enqueue("{\"type\":\"sleep\",\"payload\":{\"ms\":5000},\"timeout\":\"PT6S\"}");
        Instant asked = Instant.now();
        JsonNode job = api.get("/v1/jobs/" + id + "?wait=1").json();

        assertThat(Duration.between(asked, Instant.now())).isBetween(Duration.ofSeconds(1), Duration.ofSeconds(4));
        assertThat(job.path("state").asText()).isEqualTo("PROCESSING");
        assertThat(job.path("attempt").asInt()).isEqualTo(1);
        assertThat(job.path("running").path("worker").asText()).isNotEmpty();
        assertThat(Api.time(job.path("running"), "leaseUntil")).isAfter(asked);
    }
}
