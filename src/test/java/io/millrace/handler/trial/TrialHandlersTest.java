package io.millrace.handler.trial;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.UUID;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.millrace.handler.Cancellation;
import io.millrace.handler.Deadline;
import io.millrace.handler.JobContext;
import io.millrace.handler.JobHandler;
import io.millrace.handler.RawJson;
import io.millrace.job.Outcome;
import io.millrace.job.Outcome.Reject;
import io.millrace.job.Outcome.Retry;
import io.millrace.job.Outcome.Success;

@DisplayNameGeneration(ReplaceUnderscores.class)
class TrialHandlersTest {

    static <P> Outcome run(JobHandler<P> handler, P payload, int attempt) {
        JobContext context = new JobContext(new UUID(0, 1), attempt, attempt, 5, "default", "default",
                Deadline.after(Duration.ofMinutes(1)), new Cancellation(), null);
        return handler.run(payload, context).await().atMost(Duration.ofSeconds(10));
    }

    @Test
    void echo_returns_its_payload_to_the_byte() {
        RawJson payload = new RawJson("{ \"n\": 1.0 }");
        assertThat(run(new EchoHandler(), payload, 1)).isEqualTo(new Success(payload));
    }

    @Test
    void clock_returns_when_it_started() {
        Instant before = Instant.now().truncatedTo(ChronoUnit.MICROS);
        Success outcome = (Success) run(new ClockHandler(), new RawJson("{}"), 1);

        ClockHandler.Result result = (ClockHandler.Result) outcome.result();
        assertThat(Instant.EPOCH.plus(result.startedAtUs(), ChronoUnit.MICROS)).isBetween(before, Instant.now());
    }

    @Test
    void fail_fails_with_its_message_every_time() {
        Retry outcome = (Retry) run(new FailHandler(), new FailHandler.Payload("no luck", false), 4);
        assertThat(outcome.cause()).hasMessage("no luck");
        assertThat(((Retry) run(new FailHandler(), new FailHandler.Payload(null, false), 1)).cause())
                .hasMessage("failed as asked");
    }

    @Test
    void fail_is_rejected_if_it_is_permanent() {
        assertThat(run(new FailHandler(), new FailHandler.Payload("never", true), 1)).isEqualTo(new Reject("never"));
    }

    @Test
    void flaky_fails_as_often_as_asked_and_then_succeeds() {
        FlakyHandler.Payload twice = new FlakyHandler.Payload(2);

        assertThat(((Retry) run(new FlakyHandler(), twice, 1)).cause()).hasMessage("attempt 1 of 2 that fail");
        assertThat(run(new FlakyHandler(), twice, 2)).isInstanceOf(Retry.class);
        assertThat(run(new FlakyHandler(), twice, 3)).isEqualTo(new Success(new FlakyHandler.Result(3)));
    }

    @Test
    void sleep_takes_its_time() {
        long started = System.nanoTime();
        assertThat(run(new SleepHandler(), new SleepHandler.Payload(20), 1))
                .isEqualTo(new Success(new SleepHandler.Result(20)));
        assertThat(Duration.ofNanos(System.nanoTime() - started)).isGreaterThanOrEqualTo(Duration.ofMillis(20));
        assertThat(run(new SleepHandler(), new SleepHandler.Payload(0), 1)).isEqualTo(new Success(new SleepHandler.Result(0)));
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, 3_600_001, Long.MAX_VALUE})
    void sleep_is_rejected_if_nobody_can_mean_it(long ms) {
        assertThat(run(new SleepHandler(), new SleepHandler.Payload(ms), 1)).isInstanceOf(Reject.class);
    }
}
