package io.millrace.settle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import io.millrace.job.Artifact;
import io.millrace.job.Backoff;
import io.millrace.job.ClaimedJob;
import io.millrace.job.Failure;
import io.millrace.job.FailureReason;
import io.millrace.job.JobOptions;
import io.millrace.job.Lease;
import io.millrace.job.Outcome;
import io.millrace.job.Outcome.Reject;
import io.millrace.job.Outcome.Retry;
import io.millrace.job.Outcome.Snooze;
import io.millrace.job.Outcome.Success;
import io.millrace.job.Priority;
import io.millrace.job.Settlement;
import io.millrace.job.Settlement.Complete;
import io.millrace.job.Settlement.DeadLetter;
import io.millrace.job.Settlement.Postpone;
import io.millrace.job.Settlement.RetryAfter;

@DisplayNameGeneration(ReplaceUnderscores.class)
class SettlementPolicyTest {

    static final int MAX_RESULT = 20;
    static final Exception SMTP_DOWN = new IllegalStateException("smtp down");
    static final Backoff OF_TYPE = Backoff.DEFAULT;

    /** Writes a text as JSON, and nothing else. */
    final SettlementPolicy policy = new SettlementPolicy(value -> {
        if (value != null && !(value instanceof String)) {
            throw new IOException("no serializer for " + value.getClass().getSimpleName());
        }
        return value == null ? null : '"' + value.toString() + '"';
    }, MAX_RESULT, () -> 1.0);

    /** A job on the given attempt of five. */
    static ClaimedJob onAttempt(int attempt) {
        return onAttempt(attempt, JobOptions.NONE);
    }

    static ClaimedJob onAttempt(int attempt, JobOptions options) {
        return new ClaimedJob(new Lease(new UUID(0, 1), 9, new UUID(0, 2)), "default", "default", "email", Priority.NORMAL,
                "{}",
                options, attempt - 1, 2, 5, false, ClaimedJob.RAN_BEFORE);
    }

    Settlement decide(ClaimedJob job, Outcome outcome) {
        return policy.decide(job, OF_TYPE, outcome);
    }

    RetryAfter retry(ClaimedJob job, Outcome outcome) {
        return (RetryAfter) decide(job, outcome);
    }

    Failure deadLetter(ClaimedJob job, Outcome outcome) {
        return ((DeadLetter) decide(job, outcome)).failure();
    }

    /** At release 17 no switch proves it. */
    @Test
    void every_outcome_is_settled() {
        List<Outcome> outcomes = List.of(new Success(null), new Retry(SMTP_DOWN), new Reject("no"), new Snooze(Duration.ZERO));

        assertThat(outcomes).extracting(Object::getClass)
                .containsExactlyInAnyOrder(Outcome.class.getPermittedSubclasses());
        assertThat(outcomes.stream().<Object>map(outcome -> decide(onAttempt(1), outcome).getClass()))
                .containsExactly(Complete.class, RetryAfter.class, DeadLetter.class, Postpone.class);
    }

    @Nested
    class AfterSuccess {
        @Test
        void the_result_and_the_artifacts_are_stored() {
            Artifact artifact = new Artifact("a.png", "image/png", new byte[]{1});
            assertThat(decide(onAttempt(1), new Success("done", List.of(artifact))))
                    .isEqualTo(new Complete("\"done\"", List.of(artifact)));
        }

        @Test
        void nothing_is_a_result_too() {
            assertThat(decide(onAttempt(5), new Success(null))).isEqualTo(new Complete(null, List.of()));
        }

        @Test
        void a_result_that_cannot_be_written_gives_the_job_up_because_another_run_would_return_the_same() {
            assertThat(deadLetter(onAttempt(1), new Success(new Object()))).isEqualTo(new Failure(FailureReason.REJECTED,
                    "UnwritableResult", "the result cannot be written as JSON: no serializer for Object", null, null));
        }

        @Test
        void a_result_may_be_as_large_as_the_limit_and_no_larger() {
            String largest = "x".repeat(MAX_RESULT - 2);
            assertThat(decide(onAttempt(1), new Success(largest))).isInstanceOf(Complete.class);

            Failure failure = deadLetter(onAttempt(1), new Success(largest + "x"));
            assertThat(failure.error()).isEqualTo("ResultTooLarge");
            assertThat(failure.message()).contains("21 characters", "20 of millrace.settle.max-result");
        }
    }

    @Nested
    class AfterFailure {
        @ParameterizedTest
        @CsvSource({"1, 1", "2, 2", "3, 4", "4, 8"})
        void the_job_is_retried_after_the_backoff_of_its_type(int attempt, long seconds) {
            RetryAfter settlement = retry(onAttempt(attempt), new Retry(SMTP_DOWN));

            assertThat(settlement.delay()).isEqualTo(Duration.ofSeconds(seconds));
            assertThat(settlement.failure().reason()).isNull();
            assertThat(settlement.failure().error()).isEqualTo("IllegalStateException");
            assertThat(settlement.failure().message()).isEqualTo("smtp down");
            assertThat(settlement.failure().stack()).startsWith("java.lang.IllegalStateException: smtp down\n\tat ");
        }

        @Test
        void the_last_attempt_gives_the_job_up() {
            Failure failure = deadLetter(onAttempt(5), new Retry(SMTP_DOWN, Duration.ofSeconds(1)));

            assertThat(failure.reason()).isEqualTo(FailureReason.ATTEMPTS_EXHAUSTED);
            assertThat(failure.message()).isEqualTo("smtp down");
        }

        @Test
        void a_job_that_has_used_up_more_attempts_than_it_has_now_is_given_up_as_well() {
            assertThat(decide(onAttempt(7), new Retry(SMTP_DOWN))).isInstanceOf(DeadLetter.class);
        }

        @Test
        void the_backoff_of_the_job_wins_over_that_of_its_type() {
            Backoff own = new Backoff(Backoff.Curve.FIXED, Duration.ofSeconds(7), Duration.ofSeconds(7), Backoff.Jitter.NONE);
            assertThat(retry(onAttempt(3, new JobOptions(null, own)), new Retry(SMTP_DOWN)).delay())
                    .isEqualTo(Duration.ofSeconds(7));
        }

        @Test
        void the_wait_that_a_server_asked_for_wins_over_the_backoff() {
            assertThat(retry(onAttempt(1), new Retry(SMTP_DOWN, Duration.ofMinutes(2))).delay())
                    .isEqualTo(Duration.ofMinutes(2));
            assertThat(retry(onAttempt(4), new Retry(SMTP_DOWN, Duration.ZERO)).delay()).isZero();
        }

        @ParameterizedTest
        @CsvSource({"P31D, P30D", "P36500D, P30D", "-PT5S, PT0S"})
        void a_wait_out_of_reason_is_bounded(Duration asked, Duration given) {
            assertThat(retry(onAttempt(1), new Retry(SMTP_DOWN, asked)).delay()).isEqualTo(given);
        }

        @Test
        void a_failure_without_words_is_called_by_its_class() {
            assertThat(retry(onAttempt(1), new Retry(new IOException())).failure())
                    .extracting(Failure::error, Failure::message).containsExactly("IOException", "java.io.IOException");
        }

        @Test
        void a_class_without_a_name_is_called_by_its_full_one() {
            Throwable nameless = new RuntimeException("no luck") {};
            assertThat(retry(onAttempt(1), new Retry(nameless)).failure().error()).isEqualTo(nameless.getClass().getName());
        }

        @Test
        void a_failure_without_a_stack_has_none() {
            Throwable bare = new RuntimeException("bare", null, false, false) {};
            assertThat(retry(onAttempt(1), new Retry(bare)).failure().stack()).isNull();
        }
    }

    @Nested
    class AfterRejection {
        @Test
        void no_attempt_is_wasted() {
            assertThat(decide(onAttempt(1), new Reject("no such recipient", "a@b")))
                    .isEqualTo(new DeadLetter(
                            new Failure(FailureReason.REJECTED, "Rejected", "no such recipient", null, "\"a@b\"")));
        }
    }

    @Nested
    class AfterSnooze {
        @ParameterizedTest
        @CsvSource({"1", "5"})
        void the_job_is_put_off_even_on_the_last_attempt(int attempt) {
            assertThat(decide(onAttempt(attempt), new Snooze(Duration.ofSeconds(3))))
                    .isEqualTo(new Postpone(Duration.ofSeconds(3)));
        }

        @Test
        void it_is_bounded_and_cannot_end_in_the_past() {
            assertThat(decide(onAttempt(1), new Snooze(Duration.ofDays(400)))).isEqualTo(new Postpone(Backoff.LONGEST));
            assertThatIllegalArgumentException().isThrownBy(() -> new Snooze(Duration.ofSeconds(-1)));
        }
    }

    @Nested
    class DetailOfFailure {
        Stream<Failure> failuresWith(Object detail) {
            return Stream.of(retry(onAttempt(1), new Retry(SMTP_DOWN, null, detail)).failure(),
                    deadLetter(onAttempt(5), new Retry(SMTP_DOWN, null, detail)),
                    deadLetter(onAttempt(1), new Reject("no", detail)));
        }

        @Test
        void is_kept_with_it() {
            assertThat(failuresWith("smtp 550")).extracting(Failure::detail).containsOnly("\"smtp 550\"");
        }

        @Test
        void is_dropped_rather_than_hide_it() {
            assertThat(failuresWith(new Object())).extracting(Failure::detail).containsOnlyNulls();
            assertThat(failuresWith("x".repeat(MAX_RESULT))).extracting(Failure::detail).containsOnlyNulls();
            assertThat(failuresWith(null)).extracting(Failure::message).containsExactly("smtp down", "smtp down", "no");
        }
    }
}
