package io.millrace.observe;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.logging.Level;

import org.jboss.logmanager.ExtLogRecord;
import org.jboss.logmanager.formatters.JsonFormatter;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

import io.millrace.job.ClaimedJob;
import io.millrace.job.Failure;
import io.millrace.job.JobKeys;
import io.millrace.job.JobOptions;
import io.millrace.job.JobState;
import io.millrace.job.KeyedJob;
import io.millrace.job.Lease;
import io.millrace.job.NewJob;
import io.millrace.job.Priority;
import io.millrace.job.Settlement;
import io.millrace.job.TraceParent;
import io.millrace.store.RepairStore.Reaped;
import io.millrace.support.Allocations;
import io.millrace.support.LogCapture;

@DisplayNameGeneration(ReplaceUnderscores.class)
class JobLogTest {
    private static final String CATEGORY = JobLog.class.getName();
    private static final String SECRET = "hunter2";
    private static final String PAYLOAD = "{\"password\": \"" + SECRET + "\"}";
    private static final UUID ID = UUID.fromString("0190a8c4-7e4f-7000-8d0c-52b9f0b1c1aa");
    private static final TraceParent TRACE = new TraceParent("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    private static final Settlement RETRY = new Settlement.RetryAfter(Duration.ofSeconds(1),
            new Failure(null, "Refused", "no " + SECRET, null, null));

    private static NewJob accepted(TraceParent trace) {
        return new NewJob(ID, "acme", "mails", "email", Priority.HIGH, PAYLOAD, JobOptions.NONE.withTrace(trace), List.of(), 5,
                null,
                null);
    }

    /** @param lost how many leases of it ran out */
    private static ClaimedJob claimed(TraceParent trace, int lost) {
        return new ClaimedJob(new Lease(ID, 4, UUID.randomUUID()), "acme", "mails", "email", Priority.HIGH, PAYLOAD,
                JobOptions.NONE.withTrace(trace), 2, lost, 5, false, ClaimedJob.RAN_BEFORE);
    }

    private static void tellAll(TraceParent trace) {
        JobLog.accepted(accepted(trace));
        JobLog.claimed(claimed(trace, 0));
        JobLog.claimed(claimed(trace, 1));
        JobLog.recorded(claimed(trace, 0), RETRY);
        JobLog.cancelled(ID, JobState.CANCELLED);
        JobLog.cancelled(ID, JobState.PROCESSING);
        JobLog.replayed(ID, "mails");
        JobLog.reaped(List.of(new Reaped(ID, "mails", Priority.HIGH, JobState.PENDING)));
        JobLog.relayed("mails", 7);
        JobLog.promoted("mails", 8);
    }

    @Test
    void each_change_is_one_line_that_names_the_job_and_the_attempt() {
        try (LogCapture log = new LogCapture(CATEGORY, Level.FINE)) {
            tellAll(null);

            String job = "job " + ID + " of type email, queue mails";
            String attempt = job + ", attempt 3, epoch 4: ";
            assertThat(log.lines()).containsExactly(job + ": ACCEPTED", attempt + "CLAIMED",
                    attempt + "CLAIMED, 1 leases of it ran out before", attempt + "RETRIED", "job " + ID + ": CANCELLED",
                    "job " + ID + ": to be cancelled, its worker will be told", "job " + ID + " of queue mails: REPLAYED",
                    "job " + ID + " of queue mails: REAPED, now PENDING", "queue mails: 7 jobs relayed to the stream",
                    "queue mails: 8 jobs were due and promoted to the stream");
            assertThat(log.records()).extracting(ExtLogRecord::getLevel).extracting(java.util.logging.Level::intValue)
                    .containsOnly(Level.FINE.intValue());
        }
    }

    @Test
    void a_traced_job_is_found_by_its_trace() {
        try (LogCapture log = new LogCapture(CATEGORY, Level.FINE)) {
            JobLog.claimed(claimed(TRACE, 0));

            assertThat(log.lines()).containsExactly("job " + ID + " of type email, queue mails, trace " + TRACE.traceId()
                    + ", attempt 3, epoch 4: CLAIMED");
        }
    }

    @Test
    void no_payload_and_no_message_of_a_failure_gets_into_a_line() {
        try (LogCapture log = new LogCapture(CATEGORY, Level.FINE)) {
            tellAll(TRACE);

            assertThat(log.lines()).hasSize(10).noneMatch(line -> line.contains(SECRET));
        }
        assertThat(new KeyedJob(accepted(TRACE), JobKeys.NONE).toString()).doesNotContain(SECRET);
    }

    @Test
    void at_the_level_that_is_set_by_default_nothing_is_written_and_nothing_built() {
        NewJob accepted = accepted(TRACE);
        ClaimedJob claimed = claimed(TRACE, 0);
        ClaimedJob lost = claimed(TRACE, 1);
        List<Reaped> reaped = List.of(new Reaped(ID, "mails", Priority.HIGH, JobState.PENDING));
        try (LogCapture log = new LogCapture(CATEGORY, Level.INFO)) {
            double bytes = Allocations.bytesPerCall(() -> {
                JobLog.accepted(accepted);
                JobLog.claimed(claimed);
                JobLog.claimed(lost);
                JobLog.recorded(claimed, RETRY);
                JobLog.cancelled(ID, JobState.CANCELLED);
                JobLog.reaped(reaped);
                JobLog.relayed("mails", 1_000);
                JobLog.promoted("mails", 1_000);
            });

            assertThat(bytes).isLessThan(1);
            assertThat(log.records()).isEmpty();
        }
    }

    @Test
    void as_JSON_the_job_and_its_trace_are_fields() {
        try (LogCapture log = new LogCapture(CATEGORY, Level.FINE)) {
            JobLog.accepted(accepted(TRACE));
            JobLog.recorded(claimed(null, 0), RETRY);

            assertThat(json(log.records().get(0)))
                    .contains("\"jobId\":\"" + ID + "\"", "\"traceId\":\"" + TRACE.traceId() + "\"")
                    .doesNotContain(SECRET);
            assertThat(json(log.records().get(1))).contains("\"jobId\":\"" + ID + "\"").doesNotContain("traceId");
        }
    }

    /** As the console writes it with {@code millrace.log.format=json}. */
    private static String json(ExtLogRecord record) {
        new LogLines().isLoggable(record);
        return new JsonFormatter().format(record);
    }
}
