package io.millrace.observe;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

import io.millrace.job.ClaimedJob;
import io.millrace.job.JobOptions;
import io.millrace.job.Lease;
import io.millrace.job.Priority;
import io.millrace.job.Settlement;
import io.millrace.job.TraceParent;
import io.millrace.settle.Attempt;
import io.millrace.support.Allocations;
import io.millrace.support.SpanSink;
import io.millrace.tracing.TestTracing;
import io.millrace.tracing.Tracing;

@DisplayNameGeneration(ReplaceUnderscores.class)
class AttemptSpansTest {
    private static final TraceParent TRACE = new TraceParent("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");

    private static Attempt attempt(TraceParent trace) {
        ClaimedJob job = new ClaimedJob(new Lease(new UUID(1, 2), 1, UUID.randomUUID()), "acme", "mails", "email",
                Priority.HIGH, "{}",
                JobOptions.NONE.withTrace(trace), 0, 0, 5, false, 1_500);
        return new Attempt(job, List.of(), new Settlement.Release(), System.nanoTime(), () -> true);
    }

    @Test
    void without_tracing_the_end_of_an_attempt_costs_a_look_at_a_field() {
        AttemptSpans off = new AttemptSpans(TestTracing.off());
        Attempt untraced = attempt(null);
        Attempt traced = attempt(TRACE); // handed in where tracing is on

        assertThat(Allocations.bytesPerCall(() -> {
            off.recorded(untraced);
            off.recorded(traced);
            off.lost(traced.job(), 1);
        })).isLessThan(1);
    }

    @Test
    void an_attempt_whose_lease_was_lost_says_so_and_one_that_was_handed_back_is_no_error() {
        try (SpanSink sink = new SpanSink(0)) {
            Tracing tracing = TestTracing.with(Map.of("millrace.tracing.endpoint", sink.url()));
            AttemptSpans spans = new AttemptSpans(tracing);
            spans.recorded(attempt(null));
            spans.lost(attempt(TRACE).job(), Duration.ofSeconds(3).toNanos());
            spans.recorded(attempt(TRACE));

            TestTracing.close(tracing);
            assertThat(sink.spans()).hasSize(2);
            SpanSink.Received lost = sink.spans().get(0);
            assertThat(lost.attribute("millrace.job.outcome")).isEqualTo("lease_lost");
            assertThat(lost.attribute("error.type")).isEqualTo("lease_lost");
            assertThat(lost.isError()).isTrue();
            assertThat(lost.endNanos() - lost.startNanos()).isEqualTo(Duration.ofSeconds(3).toNanos());
            SpanSink.Received released = sink.spans().get(1);
            assertThat(released.attribute("millrace.job.outcome")).isEqualTo("released");
            assertThat(released.attribute("millrace.job.waited_us")).isEqualTo("1500");
            assertThat(released.isError()).isFalse();
        }
    }
}
