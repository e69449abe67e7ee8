package io.millrace.handler.email;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import java.time.Duration;
import java.util.List;
import java.util.UUID;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

import io.millrace.handler.Cancellation;
import io.millrace.handler.Deadline;
import io.millrace.handler.JobContext;
import io.millrace.handler.email.EmailReport.Recipient;
import io.millrace.handler.email.EmailReport.Verdict;
import io.millrace.handler.email.Smtp.Answer;
import io.millrace.handler.email.Smtp.Ending;
import io.millrace.job.Outcome;
import io.vertx.core.Vertx;

/** What needs neither a server nor a store. */
@DisplayNameGeneration(ReplaceUnderscores.class)
class EmailHandlerTest {
    private static Vertx vertx;

    @BeforeAll
    static void open() {
        vertx = Vertx.vertx();
    }

    @AfterAll
    static void close() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    private static Outcome run(EmailPayload payload) {
        EmailConfig config = Mails.config();
        EmailHandler handler = new EmailHandler(Mails.letters(config), new Smtp(vertx, config), null, null, "worker");
        return handler.run(payload, new JobContext(new UUID(0, 1), 1, 1, 5, "default", "default",
                Deadline.after(Duration.ofSeconds(9)), new Cancellation(), null)).await().atMost(Duration.ofSeconds(9));
    }

    private static EmailPayload to(String address) {
        return new EmailPayload(List.of(address), null, null, null, null, null, "hello", null, null, null, null);
    }

    @Test
    void without_a_server_a_job_fails_for_now_and_says_what_to_set() {
        assertThat(run(to("a@b.c"))).asInstanceOf(type(Outcome.Retry.class))
                .extracting(retry -> retry.cause().getMessage()).asString().contains("MILLRACE_MAIL_HOST");
    }

    @Test
    void what_can_never_be_sent_is_rejected_with_all_that_is_wrong() {
        assertThat(run(to("a\nb@c.d"))).asInstanceOf(type(Outcome.Reject.class)).extracting(Outcome.Reject::reason).asString()
                .contains("/to/0", "U+000A");
    }

    private static EmailRun after(Answer... answers) {
        EmailRun run = new EmailRun("<1@x>", List.of());
        for (int i = 0; i < answers.length; i++) {
            run.note("r" + i + "@x", answers[i]);
        }
        return run;
    }

    private static Answer answer(Ending ending, Integer code) {
        return new Answer(ending, code, "as it says");
    }

    @Test
    void who_can_still_get_it_is_tried_again_before_anybody_is_given_up() {
        Outcome outcome = after(answer(Ending.ACCEPTED, 250), answer(Ending.REFUSED, 550), answer(Ending.DEFERRED, 451))
                .outcome();
        assertThat(outcome).asInstanceOf(type(Outcome.Retry.class)).satisfies(retry -> {
            EmailReport report = (EmailReport) retry.detail();
            assertThat(List.of(report.accepted(), report.refused(), report.deferred())).containsExactly(1, 1, 1);
            assertThat(retry.after()).as("as its backoff says").isNull();
        });
        assertThat(after(answer(Ending.ACCEPTED, 250), answer(Ending.REFUSED, 550)).outcome())
                .isInstanceOf(Outcome.Reject.class);
        assertThat(after(answer(Ending.ACCEPTED, 250)).outcome()).isInstanceOf(Outcome.Success.class);
    }

    @Test
    void a_mail_that_is_another_jobs_turn_costs_no_attempt() {
        EmailRun run = after(answer(Ending.ACCEPTED, 250));
        run.note("r9@x", Verdict.ELSEWHERE);
        assertThat(run.outcome()).isEqualTo(new Outcome.Snooze(EmailRun.ELSEWHERE_PAUSE));
    }

    @Test
    void when_the_server_is_lost_the_rest_is_put_off_with_the_reason() {
        EmailRun run = new EmailRun("<1@x>", List.of(new Recipient("gone@x", Verdict.REFUSED, 550, "no")));
        run.note("a@x", answer(Ending.LOST, null));
        assertThat(run.isDecided("gone@x")).isTrue();
        assertThat(run.isDecided("b@x")).isTrue();
        assertThat(((Outcome.Retry) run.outcome()).cause().getMessage()).contains("2 of 3", "a@x: as it says",
                "b@x: as it says");
    }
}
