package io.millrace.component;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.UncheckedIOException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import com.fasterxml.jackson.databind.JsonNode;

import io.millrace.support.Api;
import io.quarkus.test.junit.QuarkusTest;

/** What is refused before anybody looks at the job. */
@QuarkusTest
class RefusalsTest extends RunningApp {

    private static final String JOB = "01890000-0000-7000-8000-000000000000";
    private static final int LARGEST = 262_144;
    private static final int HUNG_UP = 0;

    private static void assertUnknownParameter(Api.Answer answer, String name) {
        assertThat(answer.status()).as(answer.toString()).isEqualTo(400);
        assertThat(answer.mediaType()).isEqualTo("application/problem+json");
        JsonNode error = answer.json().path("errors").path(0);
        assertThat(error.path("path").asText()).isEqualTo("?" + name);
        assertThat(error.path("code").asText()).isEqualTo("unknown-parameter");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/jobs?stat=FAILED", "/v1/jobs?state=FAILED&stat=x", "/v1/jobs/" + JOB + "?stat=1s"})
    void a_query_parameter_that_does_not_exist_is_refused_when_jobs_are_read(String path) {
        assertUnknownParameter(api.get(path), "stat");
    }

    @Test
    void a_typing_error_is_answered_with_the_nearest_name() {
        assertThat(api.get("/v1/jobs?tags=a").json().path("errors").path(0).path("message").asText())
                .isEqualTo("is no known parameter; did you mean tag?");
        assertThat(api.get("/v1/jobs/" + JOB + "?wiat=1s").body()).contains("did you mean wait?");
    }

    @Test
    void a_query_parameter_that_does_not_exist_is_refused_in_bulk_and_nothing_is_stored() {
        String tag = tag();
        assertUnknownParameter(
                api.post("/v1/jobs/bulk?atomic=true", "[{\"type\":\"echo\",\"tags\":[\"" + tag + "\"]}]"), "atomic");
        assertThat(countTagged(tag)).isZero();
    }

    @Test
    void known_query_parameters_are_taken() {
        assertThat(api.get("/v1/jobs?state=FAILED&queue=default&type=echo&tag=a&limit=1").status()).isEqualTo(200);
        String id = api.enqueue("{\"type\":\"echo\"}");
        assertThat(api.get("/v1/jobs/" + id + "?wait=1s&expand=attempts").status()).isEqualTo(200);
    }

    private static void assertOlderError(Api.Answer answer, int status) {
        assertThat(answer.status()).as(answer.toString()).isEqualTo(status);
        assertThat(answer.mediaType()).isEqualTo("application/json");
        assertThat(answer.json().fieldNames()).toIterable().containsExactly("error");
        assertThat(answer.json().path("error").asText()).isNotBlank();
    }

    @ParameterizedTest
    @CsvSource({"/jobs/a/b, 404", "/api/status, 404", "/api/status/, 404", "/jobs, 405", "/processJob, 405"})
    void on_the_paths_of_the_older_systems_what_the_framework_refuses_looks_as_it_did_there(String path, int status) {
        assertOlderError(api.get(path), status);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/jobs", "/processJob"})
    void so_does_a_media_type_that_is_not_taken(String path) {
        assertOlderError(api.post(path, "type=echo", "Content-Type", "application/x-www-form-urlencoded"), 415);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/jobs", "/processJob"})
    void so_does_a_body_that_is_too_large(String path) {
        assertOlderError(api.post(path, "{\"type\":\"echo\",\"payload\":\"" + "x".repeat(LARGEST) + "\"}"), 413);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/jobs", "/jobs", "/processJob"})
    void a_body_that_does_not_say_how_long_it_is_is_read_no_further_than_its_path_takes(String path) {
        String job = "{\"type\":\"echo\",\"payload\":\"%s\"}";
        assertThat(statusOfChunks(path, job.formatted("x".repeat(8 * LARGEST)))).isIn(413, HUNG_UP);
        assertThat(api.postChunked("/v1/jobs", job.formatted("x".repeat(LARGEST / 2))).status()).isEqualTo(201);
    }

    /** The connection is closed after the answer: what is still on its way then is met by a reset, which may overtake the answer. */
    private int statusOfChunks(String path, String body) {
        try {
            return api.postChunked(path, body).status();
        } catch (UncheckedIOException closed) {
            return HUNG_UP;
        }
    }

    @Test
    void the_largest_body_is_taken_there_and_one_byte_more_is_not() {
        String envelope = "{\"type\":\"echo\",\"payload\":\"\"}";
        String payload = "x".repeat(LARGEST - envelope.length());
        assertThat(api.post("/jobs", envelope.replace("\"\"", "\"" + payload + "\"")).status()).isEqualTo(201);
        assertThat(api.post("/jobs", envelope.replace("\"\"", "\"" + payload + "x\"")).status()).isEqualTo(413);
    }

    @ParameterizedTest
    @CsvSource({"/v1/nothing, 404", "/v1/jobs/a/b/c/d, 404", "/jobsandmore, 404"})
    void everywhere_else_it_is_a_problem(String path, int status) {
        Api.Answer answer = api.get(path);
        assertThat(answer.status()).as(answer.toString()).isEqualTo(status);
        assertThat(answer.mediaType()).isEqualTo("application/problem+json");
        assertThat(answer.json().path("status").asInt()).isEqualTo(status);
    }
}
