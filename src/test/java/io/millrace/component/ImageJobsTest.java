package io.millrace.component;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.not;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.UUID;

import javax.imageio.ImageIO;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import com.fasterxml.jackson.databind.JsonNode;

import io.millrace.support.Api;
import io.millrace.support.PictureServer;
import io.quarkus.test.junit.QuarkusTest;

/** The paths of the image job scheduler, and images as a job type. */
@QuarkusTest
class ImageJobsTest extends RunningApp {

    private static final Duration PROMPTLY = Duration.ofSeconds(4);
    private static final ZoneId KOLKATA = ZoneId.of("Asia/Kolkata");

    private PictureServer pictures;

    @BeforeEach
    void hang_pictures() {
        pictures = new PictureServer();
        pictures.add("/wide.jpg", 300, 200, "jpg");
        pictures.add("/tall.png", 40, 80, "png");
        pictures.addFile("/lossy.webp", "lossy.webp"); // 80 x 45
    }

    @AfterEach
    void close() {
        pictures.close();
    }

    private String visits(String extra) {
        return """
                {"count": 2, %s "visits": [
                  {"store_id": "S00339218", "image_url": ["%s", "%s"], "visit_time": "2026-01-02 10:00"},
                  {"store_id": "S01408764", "image_url": ["%s"], "visit_time": "2026-01-02 11:00"}]}"""
                .formatted(extra, pictures.url("/wide.jpg"), pictures.url("/tall.png"), pictures.url("/lossy.webp"));
    }

    private String process(String body) {
        Api.Answer answer = api.post("/processJob", body);
        assertThat(answer.status()).as(answer.toString()).isEqualTo(200);
        assertThat(answer.mediaType()).isEqualTo("application/json");
        JsonNode json = answer.json();
        assertThat(json.fieldNames()).toIterable().containsExactlyInAnyOrder("job_id", "message");
        assertThat(json.path("message").asText()).isEqualTo("Job scheduled for processing");
        return json.path("job_id").asText();
    }

    private JsonNode status(String id) {
        Api.Answer answer = api.get("/api/status/" + id);
        assertThat(answer.status()).as(answer.toString()).isEqualTo(200);
        assertThat(answer.json().path("job_id").asText()).isEqualTo(id);
        return answer.json();
    }

    private JsonNode finalStatus(String id) {
        await().until(() -> status(id).path("status").asText(), not("ongoing"));
        return status(id);
    }

    @Test
    void images_of_all_visits_are_measured() {
        String id = process(visits(""));

        JsonNode status = finalStatus(id);
        assertThat(status.path("status").asText()).isEqualTo("completed");
        assertThat(status.has("error")).isFalse();
        JsonNode visits = api.job(id).path("result").path("visits");
        assertThat(visits).extracting(visit -> visit.path("storeId").asText()).containsExactly("S00339218", "S01408764");
        assertThat(visits).extracting(visit -> visit.path("visitTime").asText())
                .containsExactly("2026-01-02 10:00", "2026-01-02 11:00");
        assertThat(visits.findValues("perimeter")).extracting(JsonNode::asInt)
                .containsExactly(2 * (300 + 200), 2 * (40 + 80), 2 * (80 + 45));
        assertThat(visits.findValues("format")).extracting(JsonNode::asText).containsExactly("jpeg", "png", "webp");
    }

    @Test
    void an_image_that_is_gone_fails_the_job_and_names_the_store() {
        String id = process("""
                {"count": 2, "visits": [
                  {"store_id": "S1", "image_url": ["%s"]},
                  {"store_id": "S2", "image_url": ["%s", "%s"]}]}"""
                .formatted(pictures.url("/wide.jpg"), pictures.url("/tall.png"), pictures.url("/gone.jpg")));

        JsonNode status = finalStatus(id);
        assertThat(status.fieldNames()).toIterable().containsExactlyInAnyOrder("job_id", "status", "error");
        assertThat(status.path("status").asText()).isEqualTo("failed");
        assertThat(status.path("error")).extracting(error -> error.path("store_id").asText()).containsExactly("S2");
        assertThat(status.path("error").path(0).path("error").asText()).contains("/gone.jpg", "404");
        assertThat(api.job(id).path("failures").asInt()).as("a 404 is not tried again").isEqualTo(1);
    }

    @Test
    void an_image_is_downloaded_once_and_then_read_from_the_cache() {
        finalStatus(process(visits("")));
        assertThat(pictures.requests()).containsExactlyInAnyOrder("/wide.jpg", "/tall.png", "/lossy.webp");

        String second = process(visits(""));
        assertThat(finalStatus(second).path("status").asText()).isEqualTo("completed");
        assertThat(pictures.requests()).hasSize(3);
        assertThat(api.job(second).path("result").path("fromCache").asInt()).isEqualTo(3);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
            "                                                             | Missing keys",
            "[]                                                           | Missing keys",
            "{}                                                           | Missing keys",
            "{\"count\":1}                                                | Missing keys",
            "{\"visits\":[]}                                              | Missing keys",
            "{\"count\":\"1\",\"visits\":[]}                              | Missing keys",
            "{\"count\":1,\"visits\":[{}]}                                | Missing keys",
            "{\"count\":1,\"visits\":[{\"store_id\":\"S1\"}]}             | Missing keys",
            "{\"count\":1,\"visits\":[{\"image_url\":[\"http://a/b\"]}]}  | Missing keys",
            "{\"count\":1,\"visits\":[{\"store_id\":\"S1\",\"image_url\":[]}]} | Missing keys",
            "{\"count\":2,\"visits\":[]}                                  | Visits length should be equal to count",
            "{\"count\":1,\"visits\":[{},{}]}                             | Visits length should be equal to count",
            "{\"count\":0,\"visits\":[]}                                  | No visits provided"})
    void what_is_missing_is_answered_in_the_words_of_that_system(String body, String error) {
        Api.Answer answer = api.post("/processJob", body == null ? "" : body);

        assertThat(answer.status()).as(answer.toString()).isEqualTo(400);
        assertThat(answer.mediaType()).isEqualTo("application/json");
        assertThat(answer.body()).isEqualTo("{\"error\":\"" + error + "\"}");
    }

    @ParameterizedTest
    @ValueSource(strings = {"tomorrow", "2030-01-31", "2030-01-31T10:57:00 IST", "2030-13-31T10:57:00", "9999-01-01T00:00:00Z",
            ""})
    void a_time_that_cannot_be_used_is_refused(String time) {
        Api.Answer answer = api.post("/processJob", visits("\"scheduled_time\": \"" + time + "\","));

        assertThat(answer.status()).as(answer.toString()).isEqualTo(400);
        assertThat(answer.json().path("error").asText()).contains("scheduled_time must be");
    }

    @Test
    void a_body_that_is_not_JSON_is_refused() {
        Api.Answer answer = api.post("/processJob", "{\"count\": 1,");
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.json().path("error").asText()).contains("not valid JSON");
    }

    @Test
    void a_job_with_a_scheduled_time_runs_then_and_not_before() {
        OffsetDateTime time = OffsetDateTime.now(ZoneOffset.ofHours(-7)).plus(1200, ChronoUnit.MILLIS);
        String id = process(visits("\"scheduled_time\": \"" + time + "\","));
        assertThat(status(id).path("status").asText()).isEqualTo("ongoing");
        assertThat(pictures.requests()).isEmpty();

        assertThat(finalStatus(id).path("status").asText()).isEqualTo("completed");
        assertStartedAt(id, time.toInstant());
        assertThat(api.job(id).path("payload").has("scheduled_time")).isFalse();
    }

    @Test
    void a_scheduled_time_without_an_offset_is_one_of_Kolkata() {
        LocalDateTime time = LocalDateTime.now(KOLKATA).plus(1200, ChronoUnit.MILLIS);
        String id = process(visits("\"scheduled_time\": \"" + time + "\","));

        assertThat(finalStatus(id).path("status").asText()).isEqualTo("completed");
        assertStartedAt(id, time.atZone(KOLKATA).toInstant());
    }

    private void assertStartedAt(String id, Instant time) {
        JsonNode job = api.job(id);
        assertThat(Duration.between(time, Api.time(job, "runAt")).abs()).isLessThan(Duration.ofMillis(1));
        assertThat(Api.time(job, "startedAt")).isBetween(time, time.plus(PROMPTLY));
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"2001-02-03T04:05:06+05:30\"", "\"2001-02-03T04:05:06\"", "\"0001-01-01T00:00:00Z\"", "null"})
    void a_time_in_the_past_is_now(String time) {
        String id = process(visits("\"scheduled_time\": " + time + ","));
        assertThat(finalStatus(id).path("status").asText()).isEqualTo("completed");
    }

    @ParameterizedTest
    @ValueSource(strings = {"not-an-id", "17", "01890000-0000-7000-8000-000000000000"})
    void an_unknown_job_is_not_found(String id) {
        Api.Answer answer = api.get("/api/status/" + id);
        assertThat(answer.status()).isEqualTo(404);
        assertThat(answer.mediaType()).isEqualTo("application/json");
        assertThat(answer.body()).isEqualTo("{\"error\":\"Job not found\"}");
    }

    @Test
    void thumbnails_are_kept_beside_the_result() throws IOException {
        JsonNode job = api.run("""
                {"type": "image", "payload": {"visits": [{"storeId": "S1", "imageUrls": ["%s"]}], "thumbnails": [64]}}"""
                .formatted(pictures.url("/wide.jpg")));
        assertThat(job.path("state").asText()).isEqualTo("COMPLETED");
        String name = job.path("result").findValue("artifact").asText();

        Api.Answer artifact = api.get("/v1/jobs/" + job.path("id").asText() + "/artifacts/" + name);
        assertThat(artifact.status()).isEqualTo(200);
        assertThat(artifact.mediaType()).isEqualTo("image/jpeg");
        assertThat(artifact.header("X-Content-Type-Options")).contains("nosniff");
        var thumbnail = ImageIO.read(new ByteArrayInputStream(artifact.bytes()));
        assertThat(thumbnail.getWidth()).isEqualTo(64);
        assertThat(thumbnail.getHeight()).isEqualTo(43);

        Api.Answer missing = api.get("/v1/jobs/" + job.path("id").asText() + "/artifacts/other.jpg");
        assertThat(missing.status()).isEqualTo(404);
        assertThat(missing.mediaType()).isEqualTo("application/problem+json");
        assertThat(api.get("/v1/jobs/" + UUID.randomUUID() + "/artifacts/" + name).status()).isEqualTo(404);
    }

    @Test
    void a_host_that_is_not_open_is_not_called() {
        String id = process("""
                {"count": 1, "visits": [{"store_id": "S1", "image_url": ["http://169.254.169.254/latest/meta-data"]}]}""");

        JsonNode status = finalStatus(id);
        assertThat(status.path("status").asText()).isEqualTo("failed");
        assertThat(status.path("error").path(0).path("error").asText()).contains("does not have a public address");
        assertThat(api.job(id).path("failures").asInt()).isEqualTo(1);
    }

    @Test
    void a_job_that_was_given_up_for_another_reason_says_so() {
        String id = process("{\"count\": 1, \"visits\": [{\"store_id\": \"\", \"image_url\": [\"http://a/b\"]}]}");
        assertThat(finalStatus(id).path("error").path(0).path("error").asText()).contains("storeId is missing");
    }
}
