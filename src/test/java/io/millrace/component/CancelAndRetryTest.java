package io.millrace.component;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.is;

import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;

import com.fasterxml.jackson.databind.JsonNode;

import io.millrace.support.Api;
import io.quarkus.test.junit.QuarkusTest;

/** What people do to single jobs: cancel them, and run them again. */
@QuarkusTest
class CancelAndRetryTest extends RunningApp {

    @Test
    void a_job_that_waits_is_cancelled_at_once_and_never_runs() {
        String id = api.enqueue("{\"type\":\"echo\",\"delay\":\"PT1H\"}");

        Api.Answer answer = api.post("/v1/jobs/" + id + "/cancel", "");

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.json().path("state").asText()).isEqualTo("CANCELLED");
        assertThat(answer.json().path("epoch").asInt()).as("claims").isZero();
    }

    @Test
    void a_job_that_runs_is_told_to_stop_by_the_next_heartbeat() {
        String id = api.enqueue("{\"type\":\"sleep\",\"payload\":{\"ms\":600000},\"timeout\":\"PT20M\"}");
        await().until(() -> api.job(id).path("state").asText(), is("PROCESSING"));

        Api.Answer answer = api.post("/v1/jobs/" + id + "/cancel", "");

        assertThat(answer.status()).isEqualTo(202);
        assertThat(answer.json().path("cancelRequested").asBoolean()).isTrue();
        JsonNode ended = api.ended(id);
        assertThat(ended.path("state").asText()).isEqualTo("CANCELLED");
        assertThat(ended.path("attempts").findValuesAsText("outcome")).containsExactly("CANCELLED");
    }

    @Test
    void a_job_that_has_ended_cannot_be_cancelled() {
        String id = api.run("{\"type\":\"echo\"}").path("id").asText();

        Api.Answer answer = api.post("/v1/jobs/" + id + "/cancel", "");

        assertThat(answer.status()).isEqualTo(409);
        assertThat(answer.json().path("type").asText()).isEqualTo("urn:millrace:problem:wrong-state");
        assertThat(answer.json().path("detail").asText()).contains("COMPLETED");
    }

    @Test
    void an_unknown_job_can_be_neither_cancelled_nor_retried() {
        assertThat(api.post("/v1/jobs/" + UUID.randomUUID() + "/cancel", "").status()).isEqualTo(404);
        assertThat(api.post("/v1/jobs/" + UUID.randomUUID() + "/retry", "").status()).isEqualTo(404);
    }

    @Test
    void a_job_that_was_given_up_is_listed_as_a_dead_letter_and_runs_again_with_another_payload() {
        String tag = tag();
        String id = api.run("{\"type\":\"flaky\",\"payload\":{\"failures\":9},\"retry\":{\"maxAttempts\":1},\"tags\":[\"%s\"]}"
                .formatted(tag)).path("id").asText();
        JsonNode letters = api.get("/v1/dead-letters?tag=" + tag).json().path("data");
        assertThat(letters).extracting(job -> job.path("id").asText()).containsExactly(id);
        assertThat(letters.get(0).path("failure").path("reason").asText()).isEqualTo("ATTEMPTS_EXHAUSTED");

        Api.Answer answer = api.post("/v1/jobs/" + id + "/retry", "{\"payload\":{\"failures\": 0}}");

        assertThat(answer.status()).as(answer.toString()).isEqualTo(200);
        JsonNode ended = api.ended(id);
        assertThat(ended.path("state").asText()).isEqualTo("COMPLETED");
        assertThat(ended.path("epoch").asInt()).as("the fencing token goes on").isEqualTo(2);
        assertThat(ended.path("failures").asInt()).isZero();
        assertThat(ended.path("attempts")).as("the attempt that failed stays on record").hasSize(1);
        assertThat(api.get("/v1/dead-letters?tag=" + tag).json().path("data")).isEmpty();
    }

    @Test
    void a_cancelled_job_can_be_run_after_all() {
        String id = api.enqueue("{\"type\":\"echo\",\"delay\":\"PT1H\",\"payload\":{\"n\":1}}");
        api.post("/v1/jobs/" + id + "/cancel", "");

        assertThat(api.post("/v1/jobs/" + id + "/retry", "").status()).isEqualTo(200);

        assertThat(api.ended(id).path("state").asText()).isEqualTo("COMPLETED");
    }

    @Test
    void of_twenty_who_retry_at_once_one_succeeds_and_the_job_runs_once() throws Exception {
        String id = api.run("{\"type\":\"fail\",\"payload\":{\"permanent\":true}}").path("id").asText();
        Callable<Integer> retry = () -> api.post("/v1/jobs/" + id + "/retry", "{\"payload\":{\"permanent\":true}}").status();
        ExecutorService callers = Executors.newFixedThreadPool(20);
        try {
            List<Integer> answers = callers.invokeAll(Stream.generate(() -> retry).limit(20).toList()).stream()
                    .map(CancelAndRetryTest::get).toList();
            int epoch = api.ended(id).path("epoch").asInt();
            // A retry that came after the job had failed again is a retry of its own: as many runs as there were successes.
            assertThat(answers).containsOnly(200, 409);
            assertThat(epoch).isEqualTo(1 + (int) answers.stream().filter(status -> status == 200).count());
        } finally {
            callers.shutdownNow();
        }
    }

    @Test
    void a_retry_that_cannot_be_read_changes_nothing() {
        String id = api.run("{\"type\":\"fail\",\"payload\":{\"permanent\":true}}").path("id").asText();

        assertThat(api.post("/v1/jobs/" + id + "/retry", "{\"paylod\":{}}").json().path("detail").asText()).contains("payload");
        assertThat(api.post("/v1/jobs/" + id + "/retry", "[]").status()).isEqualTo(400);
        assertThat(api.post("/v1/jobs/" + id + "/retry", "{\"payload\":\"\\u0000\"}").status()).isEqualTo(422);
        assertThat(api.job(id).path("state").asText()).isEqualTo("FAILED");
    }

    private static int get(Future<Integer> answer) {
        try {
            return answer.get();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
