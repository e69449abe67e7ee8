package io.millrace.component;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import io.millrace.support.Api;
import io.millrace.support.PlainRedis;
import io.millrace.support.RatesOn;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;

/** Limits of two a second: what a test takes at once is the burst, and a little more on a slow machine. */
@QuarkusTest
@QuarkusTestResource(value = RatesOn.class, restrictToAnnotatedClass = true)
class RateLimitTest extends RunningApp {

    private static final String JOB = "{\"type\":\"echo\",\"delay\":\"PT1H\"}";
    private static final Pattern STANDING = Pattern.compile("\"(jobs|requests)\";r=(\\d+);t=(\\d+)");

    /** The application remembers what it took; waiting until it is over would take longer than all tests. */
    @BeforeEach
    void fillTheBuckets() {
        PlainRedis.ask(setting("millrace.redis.url"),
                "EVAL \"for _, key in ipairs(redis.call('KEYS', 'rate:*')) do redis.call('DEL', key) end\" 0");
        await().until(() -> remaining(api.post("/v1/jobs/bulk", "[" + JOB + "]")) >= 0);
        await().until(() -> remaining(api.get("/v1/job-types")) >= 0);
    }

    private static long remaining(Api.Answer answer) {
        Matcher standing = STANDING.matcher(answer.header("RateLimit").orElseThrow());
        assertThat(standing.matches()).as(answer.header("RateLimit").get()).isTrue();
        return answer.status() == 429 ? -1 : Long.parseLong(standing.group(2));
    }

    private static String bulk(int jobs) {
        return "[" + String.join(",", Collections.nCopies(jobs, JOB)) + "]";
    }

    /** Hands in until there is no more. @return the first refusal */
    private Api.Answer exhaust() {
        for (int i = 0; i < 10 * RatesOn.JOBS_BURST; i++) {
            Api.Answer answer = api.post("/v1/jobs", JOB);
            if (answer.status() == 429) {
                return answer;
            }
            assertThat(answer.status()).as(answer.toString()).isEqualTo(201);
        }
        throw new AssertionError("never refused");
    }

    @Test
    void every_answer_says_where_the_tenant_stands() {
        Api.Answer answer = api.post("/v1/jobs", JOB);
        assertThat(answer.header("RateLimit-Policy")).contains("\"jobs\";q=40;w=20");
        assertThat(remaining(answer)).isBetween(0L, 40L);
        assertThat(answer.header("Retry-After")).isEmpty();

        Api.Answer read = api.get("/v1/jobs?limit=1");
        assertThat(read.header("RateLimit-Policy")).contains("\"requests\";q=60;w=30");
        assertThat(remaining(read)).isBetween(0L, 60L);
    }

    @Test
    void one_job_too_many_is_a_problem_that_says_when_to_come_back_and_nothing_is_stored() {
        Api.Answer refused = exhaust();
        String before = query("select count(*) from job");

        assertThat(refused.mediaType()).isEqualTo("application/problem+json");
        assertThat(refused.json().path("type").asText()).isEqualTo("urn:millrace:problem:rate-limited");
        assertThat(refused.header("Retry-After")).contains("1");
        assertThat(refused.header("RateLimit").orElseThrow()).isEqualTo("\"jobs\";r=0;t=1");
        Api.Answer again = api.post("/v1/jobs", JOB);
        assertThat(query("select count(*) from job"))
                .isEqualTo(again.status() == 429 ? before : String.valueOf(Long.parseLong(before) + 1));

        await().until(() -> api.post("/v1/jobs", JOB).status() == 201); // it comes in again
    }

    @Test
    void the_older_paths_refuse_in_their_own_shape() {
        exhaust();
        Api.Answer refused = IntStream.range(0, 10).mapToObj(i -> api.post("/jobs", "{\"type\":\"echo\",\"payload\":{}}"))
                .filter(answer -> answer.status() == 429).findFirst().orElseThrow();
        assertThat(refused.json().fieldNames()).toIterable().containsExactly("error");
        assertThat(refused.header("Retry-After")).isPresent();
        assertThat(refused.mediaType()).isEqualTo("application/json");

        Api.Answer visits = IntStream.range(0, 10)
                .mapToObj(i -> api.post("/processJob", "{\"count\":1,\"visits\":[{\"store_id\":"
                        + "\"S1\",\"image_url\":[\"https://images.example/a.png\"],\"visit_time\":\"2030-01-01T00:00:00Z\"}],"
                        + "\"scheduled_time\":\"" + Instant.now().plusSeconds(3_600) + "\"}"))
                .filter(answer -> answer.status() == 429).findFirst().orElseThrow();
        assertThat(visits.json().path("error").asText()).contains("jobs a second");
    }

    @Test
    void a_bulk_request_costs_as_much_as_its_jobs() {
        long before = remaining(api.post("/v1/jobs", JOB));
        Api.Answer bulk = api.post("/v1/jobs/bulk", bulk(20));

        assertThat(bulk.status()).as(bulk.toString()).isEqualTo(200);
        assertThat(remaining(bulk)).isBetween(before - 20, before - 20 + 4);
        List<Integer> more = IntStream.range(0, 4).map(i -> api.post("/v1/jobs/bulk", bulk(20)).status()).boxed().toList();
        assertThat(more).contains(429);
    }

    @Test
    void retrying_counts_as_handing_in_and_reading_does_not() {
        String id = api.post("/v1/jobs", JOB).json().path("id").asText();
        assertThat(api.post("/v1/jobs/" + id + "/cancel", "").status()).isEqualTo(200);
        exhaust();

        Api.Answer retry = IntStream.range(0, 10).mapToObj(i -> api.post("/v1/jobs/" + id + "/retry", ""))
                .filter(answer -> answer.status() == 429).findFirst().orElseThrow();
        assertThat(retry.header("RateLimit").orElseThrow()).startsWith("\"jobs\"");
        assertThat(api.get("/v1/jobs/" + id).status()).isEqualTo(200);
    }

    @Test
    void reading_has_a_limit_of_its_own() {
        Api.Answer refused = IntStream.range(0, 10 * RatesOn.REQUESTS_BURST).mapToObj(i -> api.get("/v1/job-types"))
                .filter(answer -> answer.status() == 429).findFirst().orElseThrow();

        assertThat(refused.json().path("title").asText()).contains("requests");
        assertThat(api.post("/v1/jobs", JOB).status()).isEqualTo(201);
        await().until(() -> api.get("/v1/job-types").status() == 200);
    }

    @Test
    void Redis_knows_no_more_than_a_number_for_a_tenant() {
        api.post("/v1/jobs", JOB);
        List<String> keys = PlainRedis.ask(setting("millrace.redis.url"), "KEYS rate:*");
        assertThat(keys.stream().filter(key -> key.startsWith("rate:"))).isNotEmpty()
                .allMatch(key -> key.matches("rate:(jobs|requests):[0-9a-f]{64}"));
    }
}
