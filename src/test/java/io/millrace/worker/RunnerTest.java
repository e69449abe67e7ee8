package io.millrace.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import com.fasterxml.jackson.databind.ObjectMapper;

import io.millrace.handler.Cancellation.Cause;
import io.millrace.handler.JobContext;
import io.millrace.handler.JobHandler;
import io.millrace.handler.JobType;
import io.millrace.handler.TestHandlers;
import io.millrace.job.ClaimedJob;
import io.millrace.job.Failure;
import io.millrace.job.FailureReason;
import io.millrace.job.JobOptions;
import io.millrace.job.Lease;
import io.millrace.job.Outcome;
import io.millrace.job.Priority;
import io.millrace.job.Settlement;
import io.millrace.job.Settlement.Complete;
import io.millrace.job.Settlement.DeadLetter;
import io.millrace.job.Settlement.RetryAfter;
import io.millrace.settle.RecordingSettler;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;

@DisplayNameGeneration(ReplaceUnderscores.class)
class RunnerTest {

    static Vertx vertx;

    record Greeting(String name) {}

    /** A type whose handler does what a test says. */
    static final class GreetHandler implements JobHandler<Greeting> {
        BiFunction<Greeting, JobContext, Uni<Outcome>> work = (greeting, context) -> Uni.createFrom()
                .item(new Outcome.Success("hello " + greeting.name()));

        @Override
        public JobType<Greeting> type() {
            return new JobType<>("greet", "Greets.", Greeting.class, "{\"name\": \"ann\"}");
        }

        @Override
        public Uni<Outcome> run(Greeting greeting, JobContext context) {
            return work.apply(greeting, context);
        }
    }

    final GreetHandler handler = new GreetHandler();
    final RecordingSettler settler = new RecordingSettler(vertx);
    final RunningJobs running = new RunningJobs();
    final Runner runner = new Runner(vertx, TestHandlers.of(handler), new ObjectMapper(), settler, RecordingSettler.CONFIG,
            running);
    final AtomicInteger slotsFreed = new AtomicInteger();

    @BeforeAll
    static void startVertx() {
        vertx = Vertx.vertx();
    }

    @AfterAll
    static void stopVertx() {
        vertx.close();
    }

    static RunningJob job(String type, String payload, JobOptions options, boolean isCancelRequested) {
        return new RunningJob(new ClaimedJob(new Lease(new UUID(0, 1), 3, new UUID(0, 2)), "default", "default", type,
                Priority.NORMAL, payload, options, 1, 0, 5, isCancelRequested,
                ClaimedJob.RAN_BEFORE), List.of(), System.nanoTime());
    }

    static RunningJob job() {
        return job("greet", "{\"name\": \"ann\"}", JobOptions.NONE, false);
    }

    RunningJob start(RunningJob job) {
        runner.start(job, slotsFreed::incrementAndGet);
        return job;
    }

    Settlement settlementOf(RunningJob job) {
        start(job);
        assertThat(settler.settlements).hasSize(1);
        assertThat(slotsFreed).hasValue(1);
        assertThat(running.count()).isZero();
        return settler.settlements.get(0);
    }

    @Test
    void what_the_handler_returns_is_recorded() {
        assertThat(settlementOf(job())).isEqualTo(new Complete("\"hello ann\"", List.of()));
    }

    @Test
    void an_error_while_the_payload_is_read_fails_the_attempt_instead_of_holding_the_job_for_ever() {
        ObjectMapper broken = new ObjectMapper() {
            @Override
            public <T> T readValue(String content, Class<T> type) {
                throw new NoClassDefFoundError("Greeting");
            }
        };
        Runner runner = new Runner(vertx, TestHandlers.of(handler), broken, settler, RecordingSettler.CONFIG, running);

        runner.start(job(), slotsFreed::incrementAndGet);

        assertThat(settler.settlements).singleElement().isInstanceOf(RetryAfter.class);
        assertThat(slotsFreed).hasValue(1);
        assertThat(running.count()).isZero();
    }

    @Test
    void a_handler_that_returns_nothing_has_succeeded() {
        handler.work = (greeting, context) -> Uni.createFrom().nullItem();
        assertThat(settlementOf(job())).isEqualTo(new Complete(null, List.of()));
    }

    @Test
    void a_handler_learns_which_attempt_it_runs() {
        handler.work = (greeting, context) -> Uni.createFrom()
                .item(new Outcome.Success(context.epoch() + "/" + context.attempt() + "/" + context.maxAttempts()));
        assertThat(settlementOf(job())).isEqualTo(new Complete("\"3/2/5\"", List.of()));
    }

    @Test
    void a_handler_that_throws_is_tried_again() {
        handler.work = (greeting, context) -> {
            throw new IllegalStateException("smtp down");
        };
        RetryAfter retry = (RetryAfter) settlementOf(job());
        assertThat(retry.delay()).isEqualTo(Duration.ofSeconds(2));
        assertThat(retry.failure().message()).isEqualTo("smtp down");
    }

    @ParameterizedTest
    @ValueSource(strings = {"[]", "{\"name\": []}", "null", "42"})
    void a_payload_the_type_cannot_read_is_rejected_because_it_will_never_get_better(String payload) {
        Failure failure = ((DeadLetter) settlementOf(job("greet", payload, JobOptions.NONE, false))).failure();
        assertThat(failure.reason()).isEqualTo(FailureReason.REJECTED);
        assertThat(failure.message()).startsWith("unreadable payload: ");
    }

    @Test
    void a_job_of_a_type_unknown_here_waits_for_a_worker_that_knows_it() {
        assertThat(settlementOf(job("new-type", "{}", JobOptions.NONE, false)))
                .isEqualTo(new Settlement.Postpone(Duration.ofSeconds(30)));
    }

    @Test
    void a_job_cancelled_while_its_last_worker_was_silent_does_not_run_again() {
        handler.work = (greeting, context) -> {
            throw new AssertionError("ran");
        };
        assertThat(settlementOf(job("greet", "{}", JobOptions.NONE, true))).isEqualTo(new Settlement.Cancel());
    }

    @Test
    void an_attempt_that_takes_too_long_is_cut_off_and_has_failed() {
        handler.work = (greeting, context) -> Uni.createFrom().nothing();
        start(job("greet", "{}", new JobOptions(Duration.ofMillis(20), null), false));

        await().atMost(Duration.ofSeconds(10)).until(() -> !settler.settlements.isEmpty());
        assertThat(((RetryAfter) settler.settlements.get(0)).failure().error()).isEqualTo("AttemptTimeoutException");
        assertThat(slotsFreed).hasValue(1);
    }

    @Test
    void a_job_that_is_told_to_stop_is_over_at_once_and_what_it_says_later_is_ignored() {
        AtomicInteger cancelled = new AtomicInteger();
        handler.work = (greeting, context) -> Uni.createFrom().<Outcome>nothing().onCancellation()
                .invoke(cancelled::incrementAndGet);
        RunningJob job = start(job());
        assertThat(running.count()).isOne();

        job.cancellation().request(Cause.SHUTDOWN);
        assertThat(cancelled).hasValue(1);
        assertThat(settler.settlements).containsExactly(new Settlement.Release());
        assertThat(slotsFreed).hasValue(1);
        assertThat(running.count()).isZero();
    }

    @Test
    void a_running_job_that_someone_cancels_is_recorded_as_cancelled() {
        handler.work = (greeting, context) -> Uni.createFrom().nothing();
        start(job()).cancellation().request(Cause.CANCELLED);
        assertThat(settler.settlements).containsExactly(new Settlement.Cancel());
    }

    @Test
    void after_a_lost_lease_nothing_is_recorded_because_another_worker_owns_the_job() {
        handler.work = (greeting, context) -> Uni.createFrom().nothing();
        start(job()).loseLease();

        assertThat(settler.settlements).isEmpty();
        assertThat(slotsFreed).hasValue(1);
        assertThat(running.count()).isZero();
    }
}
