package io.millrace.component;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.is;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;

import org.eclipse.microprofile.config.ConfigProvider;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.millrace.support.Api;
import io.quarkus.test.junit.QuarkusTest;

/** Everything in Redis is a hint: it may stand twice, stand for nothing, or be gone. */
@QuarkusTest
class StreamsTest extends RunningApp {

    private static final String ELSEWHERE = "no-worker-reads-this";

    /** Other tests leave entries behind that nobody will acknowledge. */
    @BeforeEach
    void start_with_an_empty_redis_that_works() {
        streams.flush();
        assertRuns("{\"type\":\"echo\"}");
        await().until(() -> streams.length(DEFAULT) + streams.pending(DEFAULT), is(0));
    }

    private JsonNode assertRuns(String job) {
        JsonNode ended = api.run(job);
        assertThat(ended.path("state").asText()).isEqualTo("COMPLETED");
        return ended;
    }

    @Test
    void nothing_is_left_of_jobs_that_have_ended() {
        List<String> ids = new ArrayList<>();
        String echo = "{\"type\":\"echo\",\"priority\":\"%s\"}";
        List<String> jobs = new ArrayList<>(Collections.nCopies(50, echo.formatted("normal")));
        jobs.addAll(Collections.nCopies(20, echo.formatted("high")));
        jobs.addAll(Collections.nCopies(20, echo.formatted("low")));
        jobs.addAll(
                Collections.nCopies(5, "{\"type\":\"flaky\",\"payload\":{\"failures\":1},\"retry\":{\"base\":\"PT0.05S\"}}"));
        jobs.addAll(Collections.nCopies(5, "{\"type\":\"fail\",\"payload\":{\"permanent\":true}}"));
        jobs.addAll(Collections.nCopies(5, "{\"type\":\"echo\",\"delay\":\"PT0.1S\"}"));
        api.post("/v1/jobs/bulk", "[" + String.join(",", jobs) + "]").json().path("items")
                .forEach(item -> ids.add(item.path("job").path("id").asText()));
        ids.forEach(api::ended);

        await().untilAsserted(() -> {
            assertThat(streams.length(DEFAULT)).as("entries").isZero();
            assertThat(streams.pending(DEFAULT)).as("pending entries").isZero();
            assertThat(streams.delayed(DEFAULT)).as("delayed jobs").isZero();
        });
    }

    @Test
    void a_job_that_is_delivered_five_times_runs_once() {
        String id = api.enqueue("{\"type\":\"echo\",\"queue\":\"" + ELSEWHERE + "\"}");
        for (int i = 0; i < 5; i++) {
            streams.add(DEFAULT, "j", id);
        }
        JsonNode job = api.ended(id);
        assertThat(job.path("state").asText()).isEqualTo("COMPLETED");

        await().until(() -> streams.length(DEFAULT) - streams.pending(DEFAULT), is(0)); // all five were read
        assertRuns("{\"type\":\"echo\"}");
        assertThat(api.job(id)).isEqualTo(withoutAttempts(job));
        assertThat(job.path("epoch").asInt()).isEqualTo(1);
    }

    private static JsonNode withoutAttempts(JsonNode job) {
        return ((ObjectNode) job.deepCopy()).without("attempts");
    }

    @Test
    void a_job_that_has_ended_is_not_run_by_a_late_delivery() {
        JsonNode job = assertRuns("{\"type\":\"echo\"}");
        streams.add(DEFAULT, "j", job.path("id").asText());

        await().until(() -> streams.length(DEFAULT), is(0));
        assertThat(api.job(job.path("id").asText()).path("epoch").asInt()).isEqualTo(1);
        assertThat(streams.pending(DEFAULT)).isZero();
    }

    @Test
    void a_job_that_is_delivered_early_waits_for_its_time() {
        String id = api.enqueue("{\"type\":\"echo\",\"delay\":\"PT1.5S\"}");
        streams.add(DEFAULT, "j", id);

        JsonNode job = api.ended(id);
        assertThat(job.path("epoch").asInt()).isEqualTo(1);
        assertThat(Api.time(job, "startedAt")).isAfterOrEqualTo(Api.time(job, "runAt"));
        await().until(() -> streams.length(DEFAULT) + streams.delayed(DEFAULT), is(0));
    }

    @Test
    void an_entry_that_is_none_of_ours_is_dropped_and_reading_goes_on() {
        streams.add(DEFAULT, "j", "not-an-id");
        streams.add(DEFAULT, "what", UUID.randomUUID().toString());

        await().until(() -> streams.length(DEFAULT), is(0));
        assertThat(streams.pending(DEFAULT)).isZero();
        assertRuns("{\"type\":\"echo\"}");
    }

    @Test
    void an_entry_for_an_unknown_job_stays_pending_and_reading_goes_on() {
        streams.add(DEFAULT, "j", UUID.randomUUID().toString());

        await().until(() -> streams.pending(DEFAULT), is(1));
        assertRuns("{\"type\":\"echo\"}");
        assertThat(streams.pending(DEFAULT)).as("perhaps its row is not visible yet").isEqualTo(1);
    }

    @Test
    void after_redis_has_forgotten_everything_the_next_jobs_run() {
        streams.flush();
        assertRuns("{\"type\":\"echo\"}");
        streams.flush();
        assertRuns("{\"type\":\"echo\",\"delay\":\"PT0.1S\"}");
    }

    @Test
    void a_job_whose_client_hung_up_runs_all_the_same() throws IOException {
        String tag = tag();
        int clients = 20;
        for (int i = 0; i < clients; i++) {
            postAndHangUp("{\"type\":\"echo\",\"tags\":[\"" + tag + "\"]}");
        }
        await().until(() -> countTagged(tag), is(clients));
        await().until(() -> query("select string_agg(distinct state, ' ') from job where tags @> array['" + tag + "']"),
                is("COMPLETED"));
    }

    private static void postAndHangUp(String body) throws IOException {
        int port = ConfigProvider.getConfig().getValue("quarkus.http.test-port", Integer.class);
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            String head = "POST /v1/jobs HTTP/1.1\r\nHost: " + URI.create("http://localhost:" + port).getAuthority()
                    + "\r\nContent-Type: application/json\r\nContent-Length: " + body.length() + "\r\n\r\n";
            socket.getOutputStream().write((head + body).getBytes(StandardCharsets.US_ASCII));
        }
    }
}
