package io.millrace.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

import io.millrace.job.Backoff;
import io.millrace.job.Failure;
import io.millrace.job.FailureReason;
import io.millrace.job.JobOptions;
import io.millrace.job.TraceParent;

@DisplayNameGeneration(ReplaceUnderscores.class)
class JsonColumnsTest {

    static final Backoff BACKOFF = new Backoff(Backoff.Curve.FIXED, Duration.ofMillis(1_500), Duration.ofMinutes(1),
            Backoff.Jitter.FULL);
    static final TraceParent TRACE = new TraceParent("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");

    /** Rows of earlier versions have these names. */
    @Test
    void options_are_stored_under_names_that_stay() {
        assertThat(JsonColumns.write(new JobOptions(Duration.ofSeconds(5), BACKOFF))).isEqualTo(
                "{\"timeoutMs\":5000,\"curve\":\"fixed\",\"baseMs\":1500,\"capMs\":60000,\"jitter\":\"full\"}");
        assertThat(JsonColumns.write(JobOptions.NONE.withTrace(TRACE)))
                .isEqualTo("{\"trace\":\"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\"}");
    }

    @Test
    void options_are_read_as_they_were_written() {
        for (JobOptions options : new JobOptions[]{new JobOptions(Duration.ofSeconds(5), BACKOFF),
                new JobOptions(null, BACKOFF), new JobOptions(null, BACKOFF, TRACE), JobOptions.NONE.withTrace(TRACE),
                new JobOptions(Duration.ofDays(1), null), JobOptions.NONE}) {
            assertThat(JsonColumns.readOptions(JsonColumns.write(options))).isEqualTo(options);
        }
    }

    @Test
    void a_job_like_its_type_stores_no_options() {
        assertThat(JsonColumns.write(JobOptions.NONE)).isNull();
    }

    @Test
    void a_failure_holds_what_there_is_to_say() {
        assertThat(JsonColumns.write(new Failure(FailureReason.REJECTED, "Rejected", "a \"b\"", "at x", "{\"n\":1}")))
                .isEqualTo(
                        "{\"reason\":\"REJECTED\",\"error\":\"Rejected\",\"message\":\"a \\\"b\\\"\",\"stack\":\"at x\",\"detail\":{\"n\":1}}");
        assertThat(JsonColumns.write(new Failure(null, "IOException", "reset", null, null)))
                .isEqualTo("{\"error\":\"IOException\",\"message\":\"reset\"}");
    }
}
