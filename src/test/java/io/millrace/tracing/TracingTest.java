package io.millrace.tracing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import io.millrace.job.TraceParent;
import io.millrace.support.SpanSink;
import io.millrace.support.TestConfig;
import io.opentelemetry.context.propagation.TextMapGetter;

@DisplayNameGeneration(ReplaceUnderscores.class)
@Timeout(60)
class TracingTest {
    private static final TraceParent PARENT = new TraceParent("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private static void end(Tracing tracing, int number) {
        tracing.start(tracing.below(PARENT, "span " + number), PARENT.ofAttempt(new UUID(1, 1), number).spanId()).end();
    }

    private static long threads() {
        return Thread.getAllStackTraces().keySet().stream().filter(thread -> thread.getName().startsWith("BatchSpanProcessor"))
                .count();
    }

    @Test
    void without_an_endpoint_there_is_no_SDK_and_no_thread() {
        long before = threads();

        assertThat(TestTracing.off().isOn()).isFalse();
        assertThat(
                new Tracing(TestConfig.of(TracingConfig.class, Map.of("millrace.tracing.endpoint", "http://127.0.0.1:1")), true)
                        .isOn())
                .as("with OTEL_SDK_DISABLED").isFalse();
        assertThat(threads()).isEqualTo(before);
    }

    /** The collector takes no span until all have ended: who ends them must not have waited for it. */
    @Test
    void spans_are_dropped_while_the_queue_is_full_and_nobody_waits_for_the_collector() throws InterruptedException {
        int queue = 16;
        int sent = 10 * queue;
        CountDownLatch allEnded = new CountDownLatch(1);
        try (SpanSink sink = new SpanSink(0, () -> await(allEnded))) {
            Tracing tracing = TestTracing.with(Map.of("millrace.tracing.endpoint", sink.url(), "millrace.tracing.queue",
                    String.valueOf(queue), "millrace.tracing.every", "10ms", "millrace.tracing.timeout", "30s"));
            IntStream.rangeClosed(1, sent).forEach(i -> end(tracing, i));
            allEnded.countDown();
            tracing.close();

            // As many as fill the queue were on their way at most when it filled again.
            assertThat(sink.spans()).hasSizeBetween(queue, 2 * queue);
        }
    }

    @Test
    void spans_that_are_left_are_sent_at_the_end() {
        try (SpanSink sink = new SpanSink(0)) {
            Tracing tracing = TestTracing
                    .with(Map.of("millrace.tracing.endpoint", sink.url(), "millrace.tracing.every", "1m"));
            end(tracing, 1);
            tracing.close();

            assertThat(sink.spans()).hasSize(1);
            assertThat(sink.spans().get(0).traceId()).isEqualTo(PARENT.traceId());
            assertThat(sink.spans().get(0).parentId()).isEqualTo(PARENT.spanId());
            assertThat(sink.spans().get(0).spanId()).isEqualTo(PARENT.ofAttempt(new UUID(1, 1), 1).spanId());
        }
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "1, 100"})
    void a_share_of_the_traces_that_begin_here_is_recorded(String ratio, int recorded) {
        try (SpanSink sink = new SpanSink(0)) {
            Tracing tracing = TestTracing
                    .with(Map.of("millrace.tracing.endpoint", sink.url(), "millrace.tracing.ratio", ratio));
            long parents = IntStream.range(0, 100).mapToObj(i -> tracing.startRequest("POST", Map.of(), NoHeaders.GETTER))
                    .peek(span -> span.end()).map(Tracing::parent).filter(parent -> parent != null).count();
            tracing.close();

            assertThat(parents).isEqualTo(recorded);
            assertThat(sink.spans()).hasSize(recorded);
        }
    }

    /** In a native image it is there only if it was named when the image was built. */
    @Test
    void the_one_sender_there_is_and_the_file_that_names_it_are_kept_in_a_native_image() throws IOException {
        String file = "META-INF/services/io.opentelemetry.exporter.internal.http.HttpSenderProvider";
        try (InputStream in = getClass().getClassLoader().getResourceAsStream(file)) {
            assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8).strip()).isEqualTo(Tracing.SENDER);
        }
        assertThat(Files.readString(Path.of("src/main/resources/application.properties"))).contains(file);
    }

    @ParameterizedTest
    @ValueSource(strings = {"collector:4318", "ftp://collector", "http://", "http://u:p@host", "http://host?x=1", "nonsense"})
    void an_endpoint_that_cannot_be_used_is_refused(String endpoint) {
        assertThat(TestConfig.faults(TracingConfig.class, Map.of("millrace.tracing.endpoint", endpoint)))
                .singleElement().asString().contains("millrace.tracing.endpoint");
    }

    @ParameterizedTest
    @CsvSource({"headers, token", "headers, =x", "headers, a=%zz", "ratio, 1.5", "ratio, -1", "queue, 0", "every, 1ms",
            "timeout, 2m"})
    void so_is_everything_else_out_of_bounds(String key, String value) {
        assertThat(TestConfig.faults(TracingConfig.class, Map.of("millrace.tracing." + key, value))).hasSize(1);
    }

    @Test
    void headers_are_read_as_in_the_variables_of_OpenTelemetry() {
        assertThat(CollectorHeaders.parse("Authorization=Bearer%20a%2Cb, x=1+1==")).containsExactly(
                Map.entry("Authorization", "Bearer a,b"), Map.entry("x", "1+1=="));
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** A request without any. */
    private static final class NoHeaders implements TextMapGetter<Map<String, String>> {
        static final NoHeaders GETTER = new NoHeaders();

        @Override
        public Iterable<String> keys(Map<String, String> headers) {
            return headers.keySet();
        }

        @Override
        public String get(Map<String, String> headers, String name) {
            return null;
        }
    }
}
