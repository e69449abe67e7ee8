package io.millrace.component;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.is;

import java.time.Instant;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import com.fasterxml.jackson.databind.JsonNode;

import io.millrace.support.Api;
import io.quarkus.test.junit.QuarkusTest;

/** The paths of the Redis Streams scheduler. */
@QuarkusTest
class StreamJobsTest extends RunningApp {

    private String submit(String body) {
        Api.Answer answer = api.post("/jobs", body);
        assertThat(answer.status()).as(answer.toString()).isEqualTo(201);
        assertThat(answer.mediaType()).isEqualTo("application/json");
        JsonNode json = answer.json();
        assertThat(json.fieldNames()).toIterable().containsExactlyInAnyOrder("jobId", "status");
        assertThat(json.path("status").asText()).isEqualTo("PENDING");
        return json.path("jobId").asText();
    }

    private JsonNode row(String id) {
        Api.Answer answer = api.get("/jobs/" + id);
        assertThat(answer.status()).as(answer.toString()).isEqualTo(200);
        return answer.json();
    }

    private JsonNode rowWithStatus(String id, String status) {
        await().until(() -> row(id).path("status").asText(), is(status));
        return row(id);
    }

    @ParameterizedTest
    @ValueSource(strings = {"echo", "ECHO", "Echo"})
    void a_job_of_a_type_in_any_case_runs_and_is_shown_as_a_row(String type) {
        Instant before = Instant.now();
        String id = submit("{\"type\":\"" + type + "\",\"payload\":{\"to\":\"a@b.c\",\"n\":[1,2.50,null]}}");

        JsonNode row = rowWithStatus(id, "COMPLETED");
        assertThat(row.fieldNames()).toIterable().containsExactlyInAnyOrder("id", "redis_id", "status", "payload", "result",
                "created_at", "updated_at");
        assertThat(row.path("id").asText()).isEqualTo(id);
        assertThat(row.path("redis_id").isNull()).isTrue();
        assertThat(row.path("payload").toString()).isEqualTo("{\"to\":\"a@b.c\",\"n\":[1,2.5,null]}");
        assertThat(row.path("result")).isEqualTo(row.path("payload"));
        assertThat(Api.time(row, "created_at")).isBetween(before.minusSeconds(1), Instant.now());
        assertThat(Api.time(row, "updated_at")).isAfterOrEqualTo(Api.time(row, "created_at"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"1.0", "1e400", "12345678901234567890.1234567890", "\"🚀 é\"", "[]", "false"})
    void a_payload_keeps_its_value(String payload) {
        String id = submit("{\"type\":\"echo\",\"payload\":" + payload + "}");
        rowWithStatus(id, "COMPLETED");

        String stored = query("select payload::text from job where id = '" + id + "'");
        assertThat(query("select ('" + stored + "'::jsonb = '" + payload + "'::jsonb)::text")).as(stored).isEqualTo("true");
    }

    @Test
    void a_row_shows_how_far_its_job_is() {
        String running = submit("{\"type\":\"sleep\",\"payload\":{\"ms\":1500}}");
        JsonNode row = rowWithStatus(running, "PROCESSING");
        assertThat(row.path("result").isNull()).isTrue();

        String waiting = submit("{\"type\":\"flaky\",\"payload\":{\"failures\":1}}");
        await().until(() -> api.job(waiting).path("state").asText(), is("RETRYING"));
        assertThat(row(waiting).path("status").asText()).isEqualTo("PENDING");

        String failed = submit("{\"type\":\"fail\",\"payload\":{\"permanent\":true}}");
        assertThat(rowWithStatus(failed, "FAILED").path("result").isNull()).isTrue();
        assertThat(api.ended(waiting).path("state").asText()).isEqualTo("COMPLETED");
        assertThat(api.ended(running).path("state").asText()).isEqualTo("COMPLETED");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
            "                                           | Missing type or payload",
            "[]                                         | Missing type or payload",
            "{}                                         | Missing type or payload",
            "{\"type\":\"echo\"}                        | Missing type or payload",
            "{\"payload\":{}}                           | Missing type or payload",
            "{\"type\":\"\",\"payload\":{}}             | Missing type or payload",
            "{\"type\":7,\"payload\":{}}                | Missing type or payload",
            "{\"type\":\"echo\",\"payload\":null}       | Missing type or payload"})
    void what_is_missing_is_answered_in_the_words_of_that_system(String body, String error) {
        Api.Answer answer = api.post("/jobs", body == null ? "" : body);
        assertThat(answer.status()).as(answer.toString()).isEqualTo(400);
        assertThat(answer.mediaType()).isEqualTo("application/json");
        assertThat(answer.body()).isEqualTo("{\"error\":\"" + error + "\"}");
    }

    @Test
    void an_unknown_type_is_answered_with_the_known_ones() {
        Api.Answer answer = api.post("/jobs", "{\"type\":\"SMS\",\"payload\":{}}");
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.json().path("error").asText()).contains("SMS", "echo", "image", "sleep");
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"\\u0000\"", "\"\\ud800\"", "{\"\\ude00\":1}", "[\"\\ud83dx\"]"})
    void a_text_that_cannot_be_kept_is_refused(String payload) {
        String before = query("select count(*) from job");
        Api.Answer answer = api.post("/jobs", "{\"type\":\"echo\",\"payload\":" + payload + "}");
        assertThat(answer.status()).as(answer.toString()).isEqualTo(400);
        assertThat(answer.json().path("error").asText()).contains("the body holds");
        assertThat(query("select count(*) from job")).isEqualTo(before);
    }

    @ParameterizedTest
    @ValueSource(strings = {"not-an-id", "17", "01890000-0000-7000-8000-000000000000"})
    void an_unknown_job_is_not_found(String id) {
        Api.Answer answer = api.get("/jobs/" + id);
        assertThat(answer.status()).isEqualTo(404);
        assertThat(answer.mediaType()).isEqualTo("application/json");
        assertThat(answer.body()).isEqualTo("{\"error\":\"Job not found\"}");
    }
}
