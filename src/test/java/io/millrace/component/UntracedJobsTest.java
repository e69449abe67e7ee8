package io.millrace.component;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.logging.Level;

import jakarta.inject.Inject;

import org.junit.jupiter.api.Test;

import io.millrace.support.LogCapture;
import io.millrace.tracing.Tracing;
import io.quarkus.test.junit.QuarkusTest;
import io.vertx.ext.web.Router;

/** As it is without settings: nothing is traced, and changes of jobs are told at debug only. */
@QuarkusTest
class UntracedJobsTest extends RunningApp {

    private static final String TRACE_PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    private static final String LOG = "io.millrace.observe.JobLog";

    @Inject
    Tracing tracing;

    @Inject
    Router router;

    @Test
    void without_an_endpoint_no_job_has_a_trace_though_its_caller_does() {
        String single = api.post("/v1/jobs", "{\"type\":\"echo\"}", "traceparent", TRACE_PARENT).json().get("id").asText();
        String tag = tag();
        api.post("/v1/jobs/bulk", "[{\"type\":\"echo\",\"tags\":[\"" + tag + "\"]}]", "traceparent", TRACE_PARENT);

        assertThat(query(
                "select count(*) from job where options is null and (id = '" + single + "' or tags @> array['" + tag + "'])"))
                .isEqualTo("2");
    }

    @Test
    void without_an_endpoint_there_is_no_route_no_thread_and_no_SDK() {
        assertThat(tracing.isOn()).isFalse();
        assertThat(router.getRoutes()).isNotEmpty().noneMatch(route -> route.toString().contains("RequestTraces"));
        // Others, in tests of the same JVM, may still be ending.
        await().untilAsserted(() -> assertThat(Thread.getAllStackTraces().keySet()).extracting(Thread::getName)
                .noneMatch(name -> name.startsWith("BatchSpanProcessor")));
    }

    @Test
    void every_change_of_a_job_is_told_at_debug() {
        try (LogCapture log = new LogCapture(LOG, Level.FINE)) {
            String flaky = ended("{\"type\":\"flaky\",\"payload\":{\"failures\":1},\"retry\":{\"base\":\"PT0.01S\"}}");
            String failed = ended("{\"type\":\"fail\",\"retry\":{\"maxAttempts\":1}}");
            api.post("/v1/jobs/" + failed + "/retry", "");
            String later = api.post("/v1/jobs", "{\"type\":\"echo\",\"delay\":\"PT1H\"}").json().get("id").asText();
            api.post("/v1/jobs/" + later + "/cancel", "");

            assertLines(log, flaky, "ACCEPTED", "CLAIMED", "RETRIED", "CLAIMED", "COMPLETED");
            assertLines(log, failed, "ACCEPTED", "CLAIMED", "DEAD_LETTERED", "REPLAYED", "CLAIMED", "DEAD_LETTERED");
            assertLines(log, later, "ACCEPTED", "CANCELLED");
            await().untilAsserted(() -> assertThat(log.lines()).anyMatch(line -> line.endsWith("promoted to the stream")));
        }
    }

    private String ended(String job) {
        return api.run(job).get("id").asText();
    }

    private static void assertLines(LogCapture log, String id, String... events) {
        await().untilAsserted(() -> assertThat(log.lines().stream().filter(line -> line.contains(id))
                .map(line -> line.substring(line.lastIndexOf(": ") + 2)).toList()).containsExactly(events));
    }

    @Test
    void by_default_no_line_is_written_for_a_job() {
        try (LogCapture log = new LogCapture(LOG, null)) {
            ended("{\"type\":\"echo\"}");

            assertThat(log.records()).isEmpty();
        }
    }
}
