package io.millrace.component;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;

import jakarta.inject.Inject;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import com.sun.net.httpserver.HttpServer;

import io.millrace.support.Api;
import io.millrace.support.SpanSink;
import io.millrace.support.SpanSink.Received;
import io.millrace.support.TracingOn;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.vertx.ext.web.Router;

/** One trace from the request through the attempts of its jobs, as a collector gets it. */
@QuarkusTest
@QuarkusTestResource(value = TracingOn.class, restrictToAnnotatedClass = true)
class TracedJobsTest extends RunningApp {

    private static final String CALLER = "00f067aa0ba902b7";
    private static SpanSink sink;

    @Inject
    Router router;

    /** Each test has a trace of its own. */
    private final String trace = UUID.randomUUID().toString().replace("-", "");

    @BeforeAll
    static void listen() {
        sink = new SpanSink(URI.create(setting("millrace.tracing.endpoint")).getPort());
    }

    @AfterAll
    static void stop() {
        sink.close();
    }

    private String traceParent() {
        return "00-" + trace + "-" + CALLER + "-01";
    }

    private List<Received> await(int count) {
        await().untilAsserted(() -> assertThat(sink.spans(trace)).hasSize(count));
        return sink.spans(trace);
    }

    private static Received request(List<Received> spans) {
        return spans.stream().filter(span -> span.kind().equals("SERVER")).findFirst().orElseThrow();
    }

    private static List<Received> attempts(List<Received> spans) {
        return spans.stream().filter(span -> span.kind().equals("CONSUMER")).sorted(Comparator.comparing(Received::endNanos))
                .toList();
    }

    private static String id(Api.Answer answer) {
        assertThat(answer.status()).as(answer.toString()).isEqualTo(201);
        return answer.json().get("id").asText();
    }

    /** Or what is looked for where nothing is traced would be missing there for another reason. */
    @Test
    void with_an_endpoint_there_is_a_route_and_a_thread() {
        assertThat(router.getRoutes()).anyMatch(route -> route.toString().contains("RequestTraces"));
        assertThat(Thread.getAllStackTraces().keySet()).extracting(Thread::getName)
                .anyMatch(name -> name.startsWith("BatchSpanProcessor"));
    }

    /** By the short way, and by that of the framework, which a request takes that asks for another media type. */
    @ParameterizedTest
    @ValueSource(strings = {"*/*", "application/json;q=0.9"})
    void a_job_that_fails_twice_is_one_trace_from_the_caller_to_its_last_attempt(String accept) {
        String id = id(api.post("/v1/jobs", "{\"type\": \"flaky\", \"payload\": {\"failures\": 2},"
                + " \"retry\": {\"base\": \"PT0.01S\", \"jitter\": \"none\"}}", "traceparent", traceParent(), "Accept",
                accept));

        List<Received> spans = await(4);

        Received request = request(spans);
        assertThat(request.parentId()).isEqualTo(CALLER);
        assertThat(request.name()).isEqualTo("POST /v1/jobs");
        assertThat(request.service()).isEqualTo("mill");
        assertThat(request.attributes()).containsEntry("http.response.status_code", "201")
                .containsEntry("http.route", "/v1/jobs")
                .containsEntry("http.request.method", "POST").containsEntry("messaging.batch.message_count", "1");
        List<Received> attempts = attempts(spans);
        assertThat(attempts).extracting(Received::parentId).containsOnly(request.spanId());
        assertThat(attempts).extracting(Received::name).containsOnly("process default");
        assertThat(attempts).extracting(span -> span.attribute("messaging.message.id")).containsOnly(id);
        assertThat(attempts).extracting(span -> span.attribute("messaging.system")).containsOnly("millrace");
        assertThat(attempts).extracting(span -> span.attribute("messaging.destination.name")).containsOnly("default");
        assertThat(attempts).extracting(span -> span.attribute("millrace.job.type")).containsOnly("flaky");
        assertThat(attempts).extracting(span -> span.attribute("millrace.job.attempt")).containsExactly("1", "2", "3");
        assertThat(attempts).extracting(span -> span.attribute("millrace.job.epoch")).containsExactly("1", "2", "3");
        assertThat(attempts).extracting(span -> span.attribute("millrace.job.outcome"))
                .containsExactly("retried", "retried", "completed");
        assertThat(attempts).extracting(Received::isError).containsExactly(true, true, false);
        assertThat(attempts).extracting(span -> span.attribute("error.type"))
                .containsExactly("TrialFailureException", "TrialFailureException", null);
        assertThat(attempts).extracting(Received::links).containsExactly(List.of(),
                List.of(trace + " " + attempts.get(0).spanId()), List.of(trace + " " + attempts.get(1).spanId()));
        assertThat(attempts).allSatisfy(span -> assertThat(span.endNanos()).isGreaterThanOrEqualTo(span.startNanos()));
        assertThat(attempts.get(0).startNanos()).isGreaterThan(request.startNanos());
        assertThat(sink.tokens()).contains("Bearer a,b");
    }

    /** As docs/tracing.md says. */
    @Test
    void a_traced_job_has_68_bytes_more_in_its_row() {
        String id = id(api.post("/v1/jobs", "{\"type\":\"echo\",\"delay\":\"PT1H\"}", "traceparent", traceParent()));

        assertThat(query("select pg_column_size(options) from job where id = '" + id + "'")).isEqualTo("68");
    }

    @Test
    void all_jobs_of_a_bulk_request_stand_below_its_span() {
        String jobs = String.join(",", IntStream.range(0, 20).mapToObj(i -> "{\"type\":\"echo\"}").toList());
        api.post("/v1/jobs/bulk", "[" + jobs + "]", "traceparent", traceParent());

        List<Received> spans = await(21);

        assertThat(request(spans).attribute("messaging.batch.message_count")).isEqualTo("20");
        assertThat(attempts(spans)).hasSize(20).extracting(Received::parentId).containsOnly(request(spans).spanId());
        assertThat(spans).extracting(Received::spanId).doesNotHaveDuplicates();
    }

    @ParameterizedTest
    @CsvSource({"/jobs, type", "/addJob, email"})
    void so_do_jobs_of_the_reference_paths(String path, String field) {
        String body = field.equals("type")
                ? "{\"type\": \"echo\", \"payload\": {}}"
                : "{\"email\": \"ann@example.org\", \"name\": \"" + tag() + "\"}";
        api.post(path, body, "traceparent", traceParent());

        await().untilAsserted(() -> assertThat(attempts(sink.spans(trace))).isNotEmpty());

        assertThat(attempts(sink.spans(trace)).get(0).parentId()).isEqualTo(request(sink.spans(trace)).spanId());
    }

    @Test
    void a_trace_begins_here_if_the_caller_has_none() {
        String id = id(api.post("/v1/jobs", "{\"type\":\"echo\"}"));

        await().untilAsserted(() -> assertThat(sink.spans())
                .anySatisfy(span -> assertThat(span.attribute("messaging.message.id")).isEqualTo(id)));

        Received attempt = sink.spans().stream().filter(span -> id.equals(span.attribute("messaging.message.id"))).findFirst()
                .orElseThrow();
        await().untilAsserted(() -> assertThat(sink.spans(attempt.traceId())).hasSize(2));
        assertThat(request(sink.spans(attempt.traceId())).parentId()).isEmpty();
    }

    @Test
    void what_the_caller_does_not_record_is_recorded_by_nobody_and_costs_the_job_nothing() {
        String id = id(api.post("/v1/jobs", "{\"type\":\"echo\"}", "traceparent", "00-" + trace + "-" + CALLER + "-00"));

        assertThat(query("select options is null from job where id = '" + id + "'")).isEqualTo("t");
        // Spans are sent in order: one that came later is there, and none of this.
        a_trace_begins_here_if_the_caller_has_none();
        assertThat(sink.spans(trace)).isEmpty();
    }

    @Test
    void a_job_given_up_says_what_kind_of_error_it_was_and_nothing_of_its_payload_or_message() {
        api.post("/v1/jobs", "{\"type\": \"fail\", \"payload\": {\"message\": \"the password is hunter2\"},"
                + " \"retry\": {\"maxAttempts\": 1}}", "traceparent", traceParent());

        Received attempt = attempts(await(2)).get(0);

        assertThat(attempt.attribute("millrace.job.outcome")).isEqualTo("dead_lettered");
        assertThat(attempt.isError()).isTrue();
        assertThat(attempt.attribute("error.type")).isNotBlank();
        assertThat(sink.text()).doesNotContain("hunter2").contains(attempt.attribute("messaging.message.id"));
    }

    @Test
    void a_refused_request_has_a_span_without_jobs() {
        assertThat(api.post("/v1/jobs", "{\"type\":\"nonsense\"}", "traceparent", traceParent()).status()).isEqualTo(400);

        Received request = await(1).get(0);

        assertThat(request.attribute("http.response.status_code")).isEqualTo("400");
        assertThat(request.attribute("messaging.batch.message_count")).isEqualTo("0");
        assertThat(request.isError()).isFalse();
    }

    @Test
    void calls_of_a_handler_carry_the_span_of_its_attempt() throws IOException {
        List<String> seen = new CopyOnWriteArrayList<>();
        HttpServer pictures = HttpServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0), 0);
        pictures.createContext("/", exchange -> {
            try (exchange) {
                seen.add(exchange.getRequestHeaders().getFirst("traceparent"));
                exchange.sendResponseHeaders(404, -1);
            }
        });
        pictures.start();
        try {
            String url = "http://127.0.0.1:" + pictures.getAddress().getPort() + "/" + tag() + ".png";
            api.post("/v1/jobs",
                    "{\"type\": \"image\", \"payload\": {\"visits\": [{\"storeId\": \"S1\", \"imageUrls\": [\"" + url
                            + "\"]}]}, \"retry\": {\"maxAttempts\": 1}}",
                    "traceparent", traceParent());

            Received attempt = attempts(await(2)).get(0);

            assertThat(seen).containsExactly("00-" + trace + "-" + attempt.spanId() + "-01");
        } finally {
            pictures.stop(0);
        }
    }

    @Test
    void the_next_attempts_of_a_job_that_is_asked_for_again_stay_in_its_trace() {
        String id = id(
                api.post("/v1/jobs", "{\"type\": \"fail\", \"retry\": {\"maxAttempts\": 1}}", "traceparent", traceParent()));
        await(2);
        assertThat(api.post("/v1/jobs/" + id + "/retry", "").status()).isEqualTo(200);

        List<Received> attempts = attempts(await(3));

        assertThat(attempts).extracting(span -> span.attribute("millrace.job.epoch")).containsExactly("1", "2");
        assertThat(attempts.get(1).links()).containsExactly(trace + " " + attempts.get(0).spanId());
    }
}
