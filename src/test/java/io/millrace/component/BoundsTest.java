package io.millrace.component;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Collections;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import com.fasterxml.jackson.databind.JsonNode;

import io.millrace.support.Api;
import io.quarkus.test.junit.QuarkusTest;

/** The largest of everything that a caller can send, and one more. */
@QuarkusTest
class BoundsTest extends RunningApp {

    private static final int MOST_BULK_JOBS = 10_000;
    private static final int LONGEST_FIRST_LINE = 4_096;
    private static final int LARGEST_HEAD = 16_384;

    private static String echo(String fields) {
        return "{\"type\":\"echo\",\"delay\":\"PT1H\"," + fields + "}";
    }

    private void assertRefused(String body, String path) {
        Api.Answer answer = api.post("/v1/jobs", body);
        assertThat(answer.status()).as(answer.toString()).isEqualTo(400);
        assertThat(answer.json().path("errors")).extracting(error -> error.path("path").asText()).containsExactly(path);
    }

    private void assertTaken(String body) {
        Api.Answer answer = api.post("/v1/jobs", body);
        assertThat(answer.status()).as(answer.toString()).isEqualTo(201);
    }

    /** What is ours to decide, in all the ways that somebody may guess at. */
    @ParameterizedTest
    @ValueSource(strings = {"id", "state", "epoch", "tenant", "lease_owner", "leaseOwner", "leaseId", "leaseUntil", "failures",
            "lost",
            "attempt", "maxAttempts", "max_attempts", "createdAt", "startedAt", "finishedAt", "result", "failure", "links",
            "run_at", "__proto__", "constructor", "cancelRequested"})
    void a_caller_cannot_set_what_is_not_theirs(String field) {
        assertRefused("{\"type\":\"echo\",\"" + field + "\":1}", "/" + field);
    }

    static Stream<String> longest() {
        return Stream.of("\"queue\":\"" + "q".repeat(128) + "\"", "\"tags\":[\"" + "t".repeat(64) + "\"]",
                "\"uniqueKey\":\"" + "u".repeat(255) + "\"", "\"idempotencyKey\":\"" + "i".repeat(255) + "\"",
                "\"retry\":{\"maxAttempts\":50}", "\"timeout\":\"PT24H\"");
    }

    @ParameterizedTest
    @MethodSource("longest")
    void the_longest_is_taken(String field) {
        assertTaken(echo(field));
    }

    @ParameterizedTest
    @CsvSource({"queue, 129", "uniqueKey, 256", "idempotencyKey, 256", "uniqueKey, 100000", "priority, 100000"})
    void one_character_more_is_not(String field, int length) {
        assertRefused(echo("\"" + field + "\":\"" + "x".repeat(length) + "\""), "/" + field);
    }

    @Test
    void nor_is_one_more_of_anything_else() {
        assertRefused(echo("\"tags\":[\"" + "t".repeat(65) + "\"]"), "/tags/0");
        assertRefused(echo("\"retry\":{\"maxAttempts\":51}"), "/retry/maxAttempts");
        assertRefused(echo("\"timeout\":\"PT24H0.001S\""), "/timeout");
        assertRefused("{\"type\":\"echo\",\"delay\":\"P366DT0.001S\"}", "/delay");
        assertTaken("{\"type\":\"echo\",\"delay\":\"P366D\"}");
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "201", "-1", "1000000000", "99999999999999999999", "1e9", "0x10", " 5"})
    void a_page_has_1_to_200_jobs(String limit) {
        Api.Answer answer = api.get("/v1/jobs?limit=" + limit.replace(" ", "%20"));
        assertThat(answer.status()).as(answer.toString()).isEqualTo(400);
        assertThat(answer.json().path("errors").path(0).path("path").asText()).isEqualTo("?limit");
        assertThat(api.get("/v1/dead-letters?limit=" + limit.replace(" ", "%20")).status()).isEqualTo(400);
        assertThat(api.get("/v1/jobs?limit=200").status()).isEqualTo(200);
    }

    @Test
    void a_bulk_request_has_10_000_jobs_at_most() {
        String tag = tag();
        String job = "{\"type\":\"echo\",\"delay\":\"PT1H\",\"tags\":[\"" + tag + "\"]}";
        String jobs = String.join(",", Collections.nCopies(MOST_BULK_JOBS, job));

        Api.Answer tooMany = api.post("/v1/jobs/bulk", "[" + jobs + "," + job + "]");
        assertThat(tooMany.status()).isEqualTo(400);
        assertThat(tooMany.json().path("errors").path(0).path("code").asText()).isEqualTo("too-many");
        assertThat(countTagged(tag)).isZero();
        assertThat(api.post("/v1/jobs/bulk", "[" + jobs + "]").json().path("accepted").asInt()).isEqualTo(MOST_BULK_JOBS);
        assertThat(countTagged(tag)).isEqualTo(MOST_BULK_JOBS);
    }

    @Test
    void a_payload_of_a_million_levels_costs_a_refusal() {
        int levels = 120_000; // what a body of 256 kB has room for; a bulk request has room for more
        Api.Answer answer = api.post("/v1/jobs",
                "{\"type\":\"echo\",\"payload\":" + "[".repeat(levels) + "]".repeat(levels) + "}");
        assertThat(answer.status()).isEqualTo(400);
        int more = 1_000_000;
        Api.Answer bulk = api.post("/v1/jobs/bulk",
                "[{\"type\":\"echo\",\"payload\":" + "[".repeat(more) + "]".repeat(more) + "}]");
        assertThat(bulk.status()).isEqualTo(400);
    }

    @Test
    void the_first_line_and_the_headers_of_a_request_are_bounded() {
        String longest = "/v1/jobs?tag=" + "t".repeat(LONGEST_FIRST_LINE - 200);
        assertThat(api.get(longest).status()).isEqualTo(200);
        assertThat(api.get(longest + "t".repeat(200)).status()).isEqualTo(414);
        assertThat(api.get("/v1/jobs?limit=1", "X-Long", "x".repeat(LARGEST_HEAD - 1_000)).status()).isEqualTo(200);
        assertThat(api.get("/v1/jobs?limit=1", "X-Long", "x".repeat(LARGEST_HEAD)).status()).isEqualTo(431);
    }

    /** They stand in two places: Quarkus needs some of them before our own settings are read. */
    @ParameterizedTest
    @CsvSource({"quarkus.http.limits.max-connections, 10000", "quarkus.http.limits.max-header-size, 16384",
            "quarkus.http.limits.max-initial-line-length, 4096", "quarkus.http.idle-timeout, 90s"})
    void the_bounds_of_the_server_are_those_of_the_settings(String key, String value) {
        assertThat(setting(key)).isEqualTo(value);
    }

    @Test
    void an_answer_to_a_name_that_is_not_ours_stays_short() {
        Api.Answer answer = api.post("/v1/jobs", "{\"type\":\"" + "x".repeat(200_000) + "\"}");
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.bytes().length).isLessThan(10_000);
        JsonNode field = api.post("/v1/jobs", "{\"type\":\"echo\",\"" + "y".repeat(40_000) + "\":1}").json();
        assertThat(field.path("status").asInt()).isEqualTo(400);
    }
}
