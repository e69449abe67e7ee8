package io.millrace.component;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import com.fasterxml.jackson.databind.JsonNode;

import io.millrace.support.Api;
import io.quarkus.test.junit.QuarkusTest;

/** What /v1 answers. */
@QuarkusTest
class JobsApiTest extends RunningApp {

    private static final String NDJSON = "application/x-ndjson";
    private static final String NOBODY = "no-worker-reads-this";

    @Test
    void an_accepted_job_is_created_at_its_location() {
        Api.Answer answer = api.post("/v1/jobs", "{\"type\":\"echo\"}");

        assertThat(answer.status()).isEqualTo(201);
        assertThat(answer.mediaType()).isEqualTo("application/json");
        JsonNode accepted = answer.json();
        assertThat(accepted.path("state").asText()).isEqualTo("PENDING");
        assertThat(accepted.path("type").asText()).isEqualTo("echo");
        assertThat(UUID.fromString(accepted.path("id").asText()).version()).isEqualTo(7);
        String location = answer.header("Location").orElseThrow();
        assertThat(location).endsWith("/v1/jobs/" + accepted.path("id").asText());
        assertThat(api.get("/v1/jobs/" + accepted.path("id").asText()).status()).isEqualTo(200);
    }

    static Stream<Arguments> badJobs() {
        return Stream.of(
                refused("", 400, "invalid-json"),
                refused("{", 400, "invalid-json"),
                refused("[]", 400, "invalid-json"),
                refused("\"echo\"", 400, "invalid-json"),
                refused("{\"type\":\"echo\"} {}", 400, "invalid-json"),
                refused("{\"type\":\"echo\",\"payload\":" + "[".repeat(200) + "]".repeat(200) + "}", 400, "invalid-request",
                        "/payload"),
                refused("{}", 400, "invalid-request", "/type"),
                refused("{\"type\":7}", 400, "invalid-request", "/type"),
                refused("{\"type\":\"ecko\"}", 400, "invalid-request", "/type"),
                refused("{\"type\":\"echo\",\"typo\":1}", 400, "invalid-request", "/typo"),
                refused("{\"type\":\"echo\",\"type\":\"echo\"}", 400, "invalid-request", "/type"),
                refused("{\"type\":\"echo\",\"queue\":\"Not A Name\"}", 400, "invalid-request", "/queue"),
                refused("{\"type\":\"echo\",\"priority\":\"urgent\"}", 400, "invalid-request", "/priority"),
                refused("{\"type\":\"echo\",\"delay\":\"5 minutes\"}", 400, "invalid-request", "/delay"),
                refused("{\"type\":\"echo\",\"delay\":\"-PT1S\"}", 400, "invalid-request", "/delay"),
                refused("{\"type\":\"echo\",\"delay\":\"P1000D\"}", 400, "invalid-request", "/delay"),
                refused("{\"type\":\"echo\",\"runAt\":\"2030-01-31T08:00:00\"}", 400, "invalid-request", "/runAt"),
                refused("{\"type\":\"echo\",\"runAt\":\"2999-01-31T08:00:00Z\"}", 400, "invalid-request", "/runAt"),
                refused("{\"type\":\"echo\",\"runAt\":\"2001-01-31T08:00:00Z\",\"delay\":\"PT1S\"}", 400, "invalid-request",
                        "/delay"),
                refused("{\"type\":\"echo\",\"timeout\":\"PT0S\"}", 400, "invalid-request", "/timeout"),
                refused("{\"type\":\"echo\",\"retry\":[]}", 400, "invalid-request", "/retry"),
                refused("{\"type\":\"echo\",\"retry\":{\"maxAttempts\":0}}", 400, "invalid-request", "/retry/maxAttempts"),
                refused("{\"type\":\"echo\",\"retry\":{\"backof\":\"fixed\"}}", 400, "invalid-request", "/retry/backof"),
                refused("{\"type\":\"echo\",\"retry\":{\"base\":\"PT2S\",\"cap\":\"PT1S\"}}", 400, "invalid-request",
                        "/retry/cap"),
                refused("{\"type\":\"echo\",\"tags\":[\"a,b\"]}", 400, "invalid-request", "/tags/0"),
                refused("{\"priority\":\"urgent\",\"delay\":1}", 400, "invalid-request", "/priority", "/delay", "/type"),
                refused("{\"type\":\"echo\",\"payload\":\"" + "x".repeat(262_144) + "\"}", 413, "body-too-large"),
                refused("{\"type\":\"echo\",\"payload\":\"\\u0000\"}", 422, "unreadable-text", "/payload"));
    }

    private static Arguments refused(String body, int status, String problem, String... paths) {
        return Arguments.of(body, status, problem, List.of(paths));
    }

    @ParameterizedTest
    @MethodSource("badJobs")
    void a_job_that_cannot_be_accepted_is_answered_with_what_is_wrong_and_what_to_do(String body, int status, String problem,
            List<String> paths) {
        String before = query("select count(*) from job");
        Api.Answer answer = api.post("/v1/jobs", body);

        JsonNode json = problem(answer, status, problem);
        assertThat(json.path("errors")).extracting(error -> error.path("path").asText()).containsExactlyElementsOf(paths);
        assertThat(json.path("errors")).allSatisfy(error -> {
            assertThat(error.path("code").asText()).isNotBlank();
            assertThat(error.path("message").asText()).isNotBlank();
        });
        assertThat(query("select count(*) from job")).isEqualTo(before);
    }

    private static JsonNode problem(Api.Answer answer, int status, String name) {
        assertThat(answer.status()).as(answer.toString()).isEqualTo(status);
        assertThat(answer.mediaType()).isEqualTo("application/problem+json");
        JsonNode json = answer.json();
        assertThat(json.path("type").asText()).isEqualTo("urn:millrace:problem:" + name);
        assertThat(json.path("status").asInt()).isEqualTo(status);
        assertThat(json.path("title").asText()).isNotBlank();
        assertThat(json.path("detail").asText()).isNotBlank();
        assertThat(json.path("hint").asText()).isNotBlank();
        assertThat(answer.body()).doesNotContain("Exception");
        return json;
    }

    @Test
    void bytes_that_are_no_UTF_8_are_refused() {
        byte[] body = "{\"type\":\"echo\",\"payload\":\"?\"}".getBytes();
        body[body.length - 3] = (byte) 0xff;
        problem(api.post("/v1/jobs", body), 400, "invalid-json");
    }

    @Test
    void an_unknown_name_is_answered_with_the_nearest_known_one() {
        JsonNode field = problem(api.post("/v1/jobs", "{\"type\":\"echo\",\"paylaod\":1}"), 400, "invalid-request");
        assertThat(field.path("detail").asText()).contains("did you mean payload?");
        JsonNode type = problem(api.post("/v1/jobs", "{\"type\":\"ecko\"}"), 400, "invalid-request");
        assertThat(type.path("detail").asText()).contains("echo", "flaky", "sleep");
    }

    static Stream<Arguments> missing() {
        UUID unknown = UUID.fromString("01890000-0000-7000-8000-000000000000");
        return Stream.of(
                Arguments.of("GET", "/v1/jobs/" + unknown, 404, "not-found"),
                Arguments.of("GET", "/v1/jobs/" + unknown + "?wait=5s", 404, "not-found"),
                Arguments.of("GET", "/v1/jobs/not-an-id", 404, "not-found"),
                Arguments.of("GET", "/v1/jobs/" + unknown + "/artifacts/a.png", 404, "not-found"),
                Arguments.of("GET", "/v1/jobs/not-an-id/artifacts/a.png", 404, "not-found"),
                Arguments.of("GET", "/v1/jobs/" + unknown + "/artifacts/%00", 404, "not-found"),
                Arguments.of("GET", "/v1/no-such-thing", 404, "http-404"),
                Arguments.of("GET", "/no-such-thing", 404, "http-404"),
                Arguments.of("DELETE", "/v1/jobs", 405, "http-405"),
                Arguments.of("PUT", "/v1/jobs/" + unknown, 405, "http-405"),
                Arguments.of("POST", "/v1/job-types", 405, "http-405"));
    }

    @ParameterizedTest
    @MethodSource("missing")
    void what_is_not_there_is_a_problem_too(String method, String path, int status, String name) {
        problem(api.send(method, path), status, name);
    }

    @Test
    void a_body_that_is_not_JSON_by_its_media_type_is_refused() {
        problem(api.post("/v1/jobs", "type=echo", "Content-Type", "application/x-www-form-urlencoded"), 415, "http-415");
        problem(api.post("/v1/jobs/bulk", "{}", "Content-Type", "text/plain"), 415, "http-415");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/jobs", "/v1/jobs/bulk"})
    void a_body_without_a_media_type_is_taken_for_JSON(String path) {
        String job = "{\"type\":\"echo\"}";
        Api.Answer answer = api.post(path, path.endsWith("bulk") ? "[" + job + "]" : job, "Content-Type", "");
        assertThat(answer.status()).as(answer.toString()).isEqualTo(path.endsWith("bulk") ? 200 : 201);
    }

    @Test
    void an_answer_that_cannot_be_given_in_the_asked_media_type_is_refused() {
        problem(api.get("/v1/jobs", "Accept", "image/png"), 406, "http-406");
    }

    @ParameterizedTest
    @ValueSource(strings = {"state=DONE", "limit=0", "limit=201", "limit=many", "cursor=!", "cursor=AAAA",
            "createdAfter=yesterday",
            "createdAfter=2030-01-31T08:00:00", "queue=%00", "type=a%00b", "tag=%00"})
    void a_list_that_cannot_be_asked_for_is_refused(String query) {
        Api.Answer answer = api.get("/v1/jobs?" + query);
        JsonNode json = problem(answer, 400, "invalid-request");
        assertThat(json.path("errors").path(0).path("path").asText()).isEqualTo("?" + query.split("=")[0]);
    }

    @Test
    void a_wait_that_cannot_be_read_is_refused() {
        String id = api.enqueue("{\"type\":\"echo\"}");
        problem(api.get("/v1/jobs/" + id + "?wait=PT20S"), 400, "invalid-request");
    }

    @ParameterizedTest
    @ValueSource(strings = {"application/json", NDJSON})
    void a_bad_item_of_a_bulk_request_does_not_fail_the_others(String mediaType) {
        String tag = tag();
        String good = "{\"type\":\"echo\",\"payload\":%d,\"tags\":[\"" + tag + "\"]}";
        List<String> items = List.of(good.formatted(0), "{\"type\":\"nobody-knows\"}", "17", good.formatted(3),
                "{\"type\":\"echo\",\"payload\":\"\\ud800\"}", good.formatted(5));
        boolean isLines = mediaType.equals(NDJSON);
        Api.Answer answer = api.post("/v1/jobs/bulk",
                isLines ? String.join("\n", items) + "\n\n" : "[" + String.join(",", items) + "]", "Content-Type", mediaType);

        assertThat(answer.status()).isEqualTo(200);
        JsonNode result = answer.json();
        assertThat(result.path("accepted").asInt()).isEqualTo(3);
        assertThat(result.path("refused").asInt()).isEqualTo(3);
        assertThat(result.path("items")).extracting(item -> item.path("status").asInt())
                .containsExactly(201, 400, 400, 201, 422, 201);
        assertThat(result.path("items").path(1).path("problem").path("errors").path(0).path("path").asText())
                .isEqualTo("/type");
        for (int i : new int[]{0, 3, 5}) {
            JsonNode job = api.ended(result.path("items").path(i).path("job").path("id").asText());
            assertThat(job.path("result").asInt()).as("result of item " + i).isEqualTo(i);
        }
        assertThat(countTagged(tag)).isEqualTo(3);
    }

    @Test
    void a_line_that_is_not_JSON_does_not_fail_the_others() {
        JsonNode result = api
                .post("/v1/jobs/bulk", "{\"type\":\"echo\"\n{\"type\":\"echo\"} {\"type\":\"echo\"}\n{\"type\":\"echo\"}",
                        "Content-Type", NDJSON)
                .json();
        assertThat(result.path("items")).extracting(item -> item.path("status").asInt()).containsExactly(400, 400, 201);
    }

    @Test
    void a_bulk_request_that_is_no_list_is_refused_as_a_whole() {
        problem(api.post("/v1/jobs/bulk", "{\"type\":\"echo\"}"), 400, "invalid-json");
        problem(api.post("/v1/jobs/bulk", "[{\"type\":\"echo\"},"), 400, "invalid-json");
        String many = String.join(",", Collections.nCopies(10_001, "{}"));
        problem(api.post("/v1/jobs/bulk", "[" + many + "]"), 400, "invalid-request");
        assertThat(api.post("/v1/jobs/bulk", "[]").json().path("accepted").asInt()).isZero();
    }

    @Test
    void pages_of_a_list_have_no_gaps_and_no_repeats() {
        String tag = tag();
        List<String> newestFirst = new ArrayList<>();
        String job = "{\"type\":\"echo\",\"queue\":\"" + NOBODY + "\",\"tags\":[\"" + tag + "\"]}";
        api.post("/v1/jobs/bulk", "[" + String.join(",", Collections.nCopies(23, job)) + "]").json().path("items")
                .forEach(item -> newestFirst.add(0, item.path("job").path("id").asText()));

        List<String> seen = new ArrayList<>();
        List<Integer> sizes = new ArrayList<>();
        String cursor = "";
        do {
            JsonNode page = list("tag=" + tag + "&limit=10" + cursor);
            page.path("data").forEach(listed -> seen.add(listed.path("id").asText()));
            sizes.add(page.path("data").size());
            cursor = page.path("nextCursor").isNull() ? null : "&cursor=" + page.path("nextCursor").asText();
        } while (cursor != null);

        assertThat(seen).isEqualTo(newestFirst);
        assertThat(sizes).containsExactly(10, 10, 3);
    }

    @Test
    void a_list_can_be_filtered() {
        String tag = tag();
        String queue = "filter-" + UUID.randomUUID();
        String done = api.enqueue("{\"type\":\"echo\",\"tags\":[\"" + tag + "\",\"x\"]}");
        String failed = api.enqueue("{\"type\":\"fail\",\"payload\":{\"permanent\":true},\"tags\":[\"" + tag + "\"]}");
        String pending = api.enqueue("{\"type\":\"echo\",\"queue\":\"" + queue + "\",\"tags\":[\"" + tag + "\"]}");
        String scheduled = api.enqueue("{\"type\":\"sleep\",\"delay\":\"P1D\",\"tags\":[\"" + tag + "\"]}");
        api.ended(done);
        api.ended(failed);

        assertThat(ids("tag=" + tag)).containsExactly(scheduled, pending, failed, done);
        assertThat(ids("tag=" + tag + "&state=completed")).containsExactly(done);
        assertThat(ids("tag=" + tag + "&state=FAILED")).containsExactly(failed);
        assertThat(ids("tag=" + tag + "&state=SCHEDULED")).containsExactly(scheduled);
        assertThat(ids("queue=" + queue)).containsExactly(pending);
        assertThat(ids("tag=" + tag + "&type=fail")).containsExactly(failed);
        assertThat(ids("tag=" + tag + "&type=echo&state=PENDING&queue=" + queue)).containsExactly(pending);
        assertThat(ids("tag=" + tag + "&type=image")).isEmpty();
    }

    @Test
    void a_list_can_start_at_a_time() {
        String tag = tag();
        String job = "{\"type\":\"echo\",\"queue\":\"" + NOBODY + "\",\"tags\":[\"" + tag + "\"]}";
        api.enqueue(job);
        Instant between = Instant.now().plusMillis(1);
        await().until(() -> Instant.now().isAfter(between.plusMillis(1)));
        String second = api.enqueue(job);

        assertThat(ids("tag=" + tag)).hasSize(2);
        assertThat(ids("tag=" + tag + "&createdAfter=" + between)).containsExactly(second);
        String withOffset = between.atOffset(ZoneOffset.ofHoursMinutes(5, 30)).toString();
        assertThat(ids("tag=" + tag + "&createdAfter=" + withOffset)).containsExactly(second);
        assertThat(ids("tag=" + tag + "&createdAfter=2999-01-01T00:00:00Z")).isEmpty();
    }

    private JsonNode list(String query) {
        Api.Answer answer = api.get("/v1/jobs?" + query);
        assertThat(answer.status()).as(answer.toString()).isEqualTo(200);
        return answer.json();
    }

    private List<String> ids(String query) {
        return StreamSupport.stream(list(query).path("data").spliterator(), false).map(job -> job.path("id").asText()).toList();
    }

    @Test
    void job_types_are_listed_with_examples_that_are_accepted() {
        JsonNode types = api.get("/v1/job-types").json().path("data");
        Set<String> names = new TreeSet<>();
        for (JsonNode type : types) {
            String name = type.path("type").asText();
            names.add(name);
            assertThat(type.path("description").asText()).isNotBlank();
            assertThat(type.path("queue").asText()).isNotBlank();
            assertThat(type.path("timeout").asText()).startsWith("PT");
            assertThat(type.path("retry").path("maxAttempts").asInt()).isPositive();
            Api.Answer answer = api.post("/v1/jobs", "{\"type\":\"" + name + "\",\"queue\":\"" + NOBODY + "\",\"payload\":"
                    + type.path("example") + "}");
            assertThat(answer.status()).as(name).isEqualTo(201);
        }
        assertThat(names).contains("echo", "clock", "fail", "flaky", "image", "sleep");
    }
}
