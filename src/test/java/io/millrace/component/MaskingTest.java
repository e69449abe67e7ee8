package io.millrace.component;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import com.fasterxml.jackson.databind.JsonNode;

import io.millrace.support.Api;
import io.millrace.support.QuarkusServers;
import io.quarkus.test.junit.QuarkusTest;

/** With {@link QuarkusServers#SENSITIVE}: what handlers get and nobody is shown. */
@QuarkusTest
class MaskingTest extends RunningApp {

    private static final String SECRET = "hunter2-hunter2";
    private static final String PAYLOAD = "{\"secrets\":{\"a\":\"%1$s\",\"b\":[\"%1$s\"]}, \"n\" : 1.0}".formatted(SECRET);
    private static final String MASKED = "{\"secrets\":{\"a\":\"***\",\"b\":\"***\"}, \"n\" : 1.0}";

    private static String job(String tag) {
        return "{\"type\":\"echo\",\"tags\":[\"" + tag + "\"],\"payload\":" + PAYLOAD + "}";
    }

    @Test
    void the_handler_gets_the_values_and_no_answer_shows_them() {
        String tag = tag();
        String id = api.enqueue(job(tag));

        Api.Answer ended = api.get("/v1/jobs/" + id + "?expand=attempts&wait=30s");
        assertThat(ended.json().path("state").asText()).isEqualTo("COMPLETED");
        assertThat(ended.body()).contains("\"payload\":" + MASKED, "\"result\":" + MASKED).doesNotContain(SECRET);
        assertThat(query("select payload from job where id = '" + id + "'")).isEqualTo(PAYLOAD);
        assertThat(query("select result from job where id = '" + id + "'")).as("what the handler got").contains(SECRET);

        assertThat(api.get("/v1/jobs?tag=" + tag).body()).contains(MASKED).doesNotContain(SECRET);
        assertThat(api.get("/jobs/" + id).body()).contains(MASKED).doesNotContain(SECRET);
    }

    @Test
    void a_failure_does_not_quote_them_either() {
        String tag = tag();
        String id = api.enqueue("{\"type\":\"fail\",\"tags\":[\"" + tag + "\"],\"payload\":{\"message\":\"" + SECRET
                + " was refused\",\"secrets\":{\"a\":\"" + SECRET
                + "\"}},\"retry\":{\"maxAttempts\":2,\"backoff\":\"fixed\",\"base\":\"PT0S\"}}");

        JsonNode failed = api.ended(id);
        assertThat(failed.path("state").asText()).isEqualTo("FAILED");
        assertThat(failed.path("failure").path("message").asText()).isEqualTo("*** was refused");
        assertThat(failed.path("attempts")).hasSize(2);
        assertThat(failed.path("attempts").toString()).doesNotContain(SECRET);
        assertThat(failed.path("payload").path("secrets").path("a").asText()).isEqualTo("***");
        JsonNode letter = api.get("/v1/dead-letters?tag=" + tag).json().path("data").path(0);
        assertThat(letter.path("failure").path("message").asText()).isEqualTo("*** was refused");
        assertThat(letter.path("payload").path("secrets").path("a").asText()).isEqualTo("***");
        assertThat(query("select failure::text from job where id = '" + id + "'")).doesNotContain(SECRET);
        assertThat(query("select string_agg(failure::text, '') from job_attempt where job_id = '" + id + "'"))
                .doesNotContain(SECRET);
    }

    @Test
    void a_payload_that_cannot_be_read_is_not_quoted() {
        JsonNode failed = api.run("{\"type\":\"fail\",\"payload\":{\"message\":\"x\",\"permanent\":\"" + SECRET
                + "\",\"secrets\":[\"" + SECRET + "\"]}}");
        assertThat(failed.path("failure").path("message").asText()).startsWith("unreadable payload").contains("***")
                .doesNotContain(SECRET);
    }

    @Test
    void a_mask_that_is_sent_back_is_refused_and_a_new_value_or_none_is_taken() {
        String id = api.enqueue("{\"type\":\"echo\",\"delay\":\"PT1H\",\"payload\":" + PAYLOAD + "}");
        assertThat(api.post("/v1/jobs/" + id + "/cancel", "").status()).isEqualTo(200);

        Api.Answer refused = api.post("/v1/jobs/" + id + "/retry", "{\"payload\":" + MASKED + "}");
        assertThat(refused.status()).as(refused.toString()).isEqualTo(400);
        assertThat(refused.json().path("errors")).extracting(error -> error.path("path").asText() + error.path("code").asText())
                .containsExactly("/payload/secrets/amasked", "/payload/secrets/bmasked");
        assertThat(query("select payload from job where id = '" + id + "'")).isEqualTo(PAYLOAD);

        assertThat(api.post("/v1/jobs/" + id + "/retry", "").status()).isEqualTo(200);
        assertThat(api.ended(id).path("state").asText()).isEqualTo("COMPLETED");
        assertThat(query("select result from job where id = '" + id + "'")).isEqualTo(PAYLOAD);
    }

    @Test
    void nor_can_it_be_handed_in() {
        for (String path : new String[]{"/v1/jobs", "/jobs"}) {
            Api.Answer refused = api.post(path, "{\"type\":\"echo\",\"payload\":" + MASKED + "}");
            assertThat(refused.status()).as(path).isEqualTo(400);
            assertThat(refused.body()).contains("secrets/a");
        }
        assertThat(api.post("/v1/jobs", "{\"type\":\"echo\",\"payload\":{\"secrets\":\"***\",\"note\":\"***\"}}").status())
                .as("neither is a sensitive path").isEqualTo(201);
    }

    @Test
    void job_types_say_what_of_them_is_sensitive() {
        for (JsonNode type : api.get("/v1/job-types").json().path("data")) {
            assertThat(type.path("sensitive").isArray()).isTrue();
            if (type.path("type").asText().equals("echo")) {
                assertThat(type.path("sensitive")).extracting(JsonNode::asText).containsExactly("/secrets/*");
            }
        }
    }
}
