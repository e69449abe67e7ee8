package io.millrace.component;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.is;

import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import com.fasterxml.jackson.databind.JsonNode;

import io.millrace.support.Api;
import io.millrace.support.MailOn;
import io.millrace.support.SmtpSink;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;

/** Mail, from the request to the mail server, and the paths of the mail scheduler. */
@QuarkusTest
@QuarkusTestResource(value = MailOn.class, restrictToAnnotatedClass = true)
class MailJobsTest extends GuardedApp {
    private final String unique = UUID.randomUUID().toString();
    private SmtpSink sink;
    private String token;

    @BeforeEach
    void open() {
        sink = new SmtpSink(Integer.parseInt(setting("millrace.mail.port")));
        token = adminToken();
    }

    @AfterEach
    void close() {
        sink.close();
    }

    private String address(String name) {
        return name + "-" + unique + "@example.org";
    }

    private Api.Answer add(String email, String name) {
        return api.post("/addJob", "{\"email\":" + Api.quoted(email) + ",\"name\":" + Api.quoted(name) + "}", bearer(token));
    }

    private String added(String email, String name) {
        Api.Answer answer = add(email, name);
        assertThat(answer.status()).as(answer.toString()).isEqualTo(200);
        assertThat(answer.json().fieldNames()).toIterable().containsExactlyInAnyOrder("message", "job_id");
        assertThat(answer.json().path("message").asText()).isEqualTo("Job added to queue");
        return answer.json().path("job_id").asText();
    }

    private JsonNode job(String id) {
        return api.get("/v1/jobs/" + id + "?expand=attempts", bearer(token)).json();
    }

    private JsonNode ended(String id) {
        await().until(() -> List.of("COMPLETED", "FAILED", "CANCELLED").contains(job(id).path("state").asText()));
        return job(id);
    }

    private JsonNode completed(String id) {
        JsonNode job = ended(id);
        assertThat(job.path("state").asText()).as(job.toString()).isEqualTo("COMPLETED");
        return job;
    }

    private Api.Answer post(String payload) {
        return api.post("/v1/jobs", "{\"type\":\"email\",\"payload\":" + payload + ",\"retry\":{\"base\":\"PT0.05S\"}}",
                bearer(token));
    }

    private String enqueueMail(String... payload) {
        Api.Answer answer = post(String.join("", payload));
        assertThat(answer.status()).as(answer.toString()).isEqualTo(201);
        return answer.json().path("id").asText();
    }

    private static List<String> verdicts(JsonNode report) {
        List<String> verdicts = new ArrayList<>();
        report.path("recipients").forEach(recipient -> verdicts.add(recipient.path("address").asText().split("-")[0] + " "
                + recipient.path("verdict").asText() + " " + recipient.path("code").asText("none")));
        return verdicts;
    }

    @Test
    void the_welcome_mail_is_sent_once_however_often_it_is_asked_for() {
        String email = address("Ada");
        String first = added(email, "Ada <b>");
        JsonNode job = completed(first);
        assertThat(verdicts(job.path("result"))).containsExactly("Ada ACCEPTED 250");
        assertThat(job.path("result").path("messageId").asText()).isEqualTo("<" + first + "@" + MailOn.DOMAIN + ">");

        String again = added(email.replace("example.org", "EXAMPLE.org"), " Ada <b> ");
        assertThat(again).as("the first one has ended").isNotEqualTo(first);
        assertThat(verdicts(completed(again).path("result"))).containsExactly("Ada ACCEPTED_BEFORE none");

        assertThat(sink.mailsTo(email)).hasSize(1);
        SmtpSink.Mail mail = sink.mailsTo(email).get(0);
        assertThat(mail.from()).isEqualTo(MailOn.SENDER);
        assertThat(mail.field("Subject")).isEqualTo("Welcome");
        assertThat(mail.field("Message-ID")).isEqualTo("<" + first + "@" + MailOn.DOMAIN + ">");
        assertThat(mail.text()).contains("Hello Ada <b>,").contains("<p>Hello Ada &lt;b&gt;,</p>");
    }

    @Test
    void another_name_or_another_case_before_the_at_is_another_mail() {
        completed(added(address("eva"), "Eva"));
        completed(added(address("eva"), "Eve"));
        completed(added(address("EVA"), "Eva"));
        assertThat(sink.mailsTo(address("eva"))).hasSize(2);
        assertThat(sink.mailsTo(address("EVA"))).hasSize(1);
    }

    @Test
    void tenants_have_mails_of_their_own() {
        String email = address("shared");
        completed(added(email, "S"));
        token = signUp(name()).access();
        completed(added(email, "S"));
        assertThat(sink.mailsTo(email)).hasSize(2);
    }

    @Test
    void fifty_at_once_are_one_mail() {
        String email = address("many");
        List<CompletableFuture<Api.Answer>> asked = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            asked.add(CompletableFuture.supplyAsync(() -> add(email, "Many")));
        }
        List<Api.Answer> answers = asked.stream().map(CompletableFuture::join).toList();
        assertThat(answers).allSatisfy(answer -> assertThat(answer.status()).as(answer.toString()).isEqualTo(200));
        answers.stream().map(answer -> answer.json().path("job_id").asText()).distinct().forEach(this::completed);
        assertThat(sink.mailsTo(email)).hasSize(1);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
            "                                                     | Missing email or name",
            "[]                                                   | Missing email or name",
            "{}                                                   | Missing email or name",
            "{\"email\":\"a@b.c\"}                                | Missing email or name",
            "{\"name\":\"A\"}                                     | Missing email or name",
            "{\"email\":\"a@b.c\",\"name\":\" \"}                 | Missing email or name",
            "{\"email\":7,\"name\":\"A\"}                         | Missing email or name",
            "{\"email\":\"nobody\",\"name\":\"A\"}                | Invalid email",
            "{\"email\":\"a@b..c\",\"name\":\"A\"}                | Invalid email",
            "{\"email\":\"A <a@b.c>\",\"name\":\"A\"}             | Invalid email",
            "{\"email\":\"a@b.c\\r\\nBcc: e@f.g\",\"name\":\"A\"} | Invalid email",
            "{\"email\":\"a\\u760a@b.c\",\"name\":\"A\"}          | Invalid email",
            "{\"email\":\"a@b.c\",\"name\":\"A\\nB\"}             | Invalid name",
            "{\"email\":\"a@b.c\",\"name\":\"A\\u2028B\"}         | Invalid name"})
    void what_cannot_be_sent_is_refused_as_that_system_did(String body, String error) {
        Api.Answer answer = api.post("/addJob", body == null ? "" : body, bearer(token));
        assertThat(answer.status()).as(answer.toString()).isEqualTo(400);
        assertThat(answer.mediaType()).isEqualTo("application/json");
        assertThat(answer.json().fieldNames()).toIterable().containsExactly("error");
        assertThat(answer.json().path("error").asText()).startsWith(error);
    }

    @Test
    void without_a_token_nobody_gets_in() {
        for (Api.Answer answer : List.of(api.post("/addJob", "{\"email\":\"a@b.c\",\"name\":\"A\"}"), api.get("/failedJobs"))) {
            assertThat(answer.status()).isEqualTo(401);
            assertThat(answer.json().fieldNames()).toIterable().containsExactly("error");
        }
    }

    @Test
    void failed_jobs_are_shown_in_pages_to_their_tenant_alone() {
        token = signUp(name()).access();
        sink.answer("RCPT", "550 no such user");
        List<String> names = List.of("One", "Two", "Three");
        for (String name : names) {
            assertThat(ended(added(address(name), name)).path("state").asText()).isEqualTo("FAILED");
        }
        ended(enqueueMail("{\"to\":\"", address("other"), "\",\"text\":\"of no interest here\"}"));

        JsonNode all = api.get("/failedJobs", bearer(token)).json();
        assertThat(all).extracting(failed -> failed.path("name").asText()).containsExactly("Three", "Two", "One");
        assertThat(all.get(0).fieldNames()).toIterable().containsExactlyInAnyOrder("email", "name", "error");
        assertThat(all.get(0).path("email").asText()).isEqualTo(address("Three"));
        assertThat(all.get(0).path("error").asText()).contains(address("Three"), "550", "no such user");
        assertThat(api.get("/failedJobs?page=2&limit=2", bearer(token)).json()).hasSize(1)
                .extracting(failed -> failed.path("name").asText()).containsExactly("One");
        assertThat(api.get("/failedJobs?page=3&limit=2", bearer(token)).body()).isEqualTo("[]");
        assertThat(api.get("/failedJobs", bearer(signUp(name()).access())).body()).isEqualTo("[]");
        assertThat(sink.mails()).isEmpty();

        sink.answerAsUsual("RCPT");
        assertThat(completed(added(address("One"), "One")).path("result").path("accepted").asInt())
                .as("one that failed can be asked for again").isOne();
    }

    @ParameterizedTest
    @ValueSource(strings = {"page=0", "page=-1", "page=x", "page=1001", "page=99999999999", "limit=0", "limit=101",
            "limit=1e2", "limit=+5", "limit=%00"})
    void numbers_out_of_bounds_are_refused(String query) {
        Api.Answer answer = api.get("/failedJobs?" + query, bearer(token));
        assertThat(answer.status()).as(answer.toString()).isEqualTo(400);
        assertThat(answer.json().path("error").asText()).contains(query.split("=")[0], "must be a whole number from 1 to");
    }

    @Test
    void each_recipient_has_a_verdict_and_nobody_gets_it_twice() {
        sink.answer("RCPT TO:<later", "451 4.7.1 greylisted");
        sink.answer("RCPT TO:<never", "550 5.1.1 no such user");
        String id = enqueueMail("{\"to\":[\"", address("now"), "\",\"", address("later"), "\"],\"cc\":\"", address("never"),
                "\",\"bcc\":\"", address("hidden"), "\",\"text\":\"hello\"}");
        await().until(() -> job(id).path("attempts").size() >= 2);
        sink.answerAsUsual("RCPT TO:<later");

        JsonNode job = ended(id);
        assertThat(job.path("state").asText()).as("one of them can never get it").isEqualTo("FAILED");
        assertThat(verdicts(job.path("attempts").get(0).path("failure").path("detail"))).containsExactly("now ACCEPTED 250",
                "later DEFERRED 451", "never REFUSED 550", "hidden ACCEPTED 250");
        assertThat(verdicts(job.path("failure").path("detail"))).containsExactlyInAnyOrder("never REFUSED 550",
                "now ACCEPTED_BEFORE none", "later ACCEPTED 250", "hidden ACCEPTED_BEFORE none");
        assertThat(job.path("failure").path("message").asText()).contains("1 of 4", address("never"), "no such user");
        for (String name : List.of("now", "later", "hidden")) {
            assertThat(sink.mailsTo(address(name))).as(name).hasSize(1);
            assertThat(sink.mailsTo(address(name)).get(0).text()).doesNotContain("hidden");
        }
        assertThat(sink.commands().stream().filter(command -> command.startsWith("RCPT TO:<never"))).as("asked once")
                .hasSize(1);

        sink.answerAsUsual("RCPT TO:<never");
        assertThat(api.post("/v1/jobs/" + id + "/retry", "", bearer(token)).status()).isEqualTo(200);
        assertThat(verdicts(completed(id).path("result"))).containsExactly("now ACCEPTED_BEFORE none",
                "later ACCEPTED_BEFORE none", "never ACCEPTED 250", "hidden ACCEPTED_BEFORE none");
        assertThat(sink.mails().stream().map(mail -> mail.field("Message-ID")).distinct()).containsExactly(
                "<" + id + "@" + MailOn.DOMAIN + ">");
    }

    @Test
    void a_server_that_is_lost_is_not_asked_for_every_other_recipient() {
        sink.answer("EHLO", SmtpSink.CUT);
        sink.answer("HELO", SmtpSink.CUT);
        String id = enqueueMail("{\"to\":[\"", address("a"), "\",\"", address("b"), "\",\"", address("c"),
                "\"],\"text\":\"x\"}");
        await().until(() -> job(id).path("attempts").size() >= 1);
        assertThat(verdicts(job(id).path("attempts").get(0).path("failure").path("detail"))).hasSize(3)
                .allSatisfy(verdict -> assertThat(verdict).endsWith("DEFERRED none"));
        assertThat(api.post("/v1/jobs/" + id + "/cancel", "", bearer(token)).status()).isIn(200, 202, 409);
        assertThat(sink.connections()).as("one in each attempt").hasSizeLessThanOrEqualTo(5);
    }

    /** The owner of the turn has the mail under way: whoever comes later waits for it, and finds it sent. */
    @Test
    void two_jobs_with_one_effect_key_send_one_mail() throws InterruptedException {
        CountDownLatch isUnderWay = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        sink.before(SmtpSink.MAIL, () -> {
            isUnderWay.countDown();
            awaitQuietly(goOn);
        });
        String payload = "{\"to\":\"" + address("once") + "\",\"text\":\"x\",\"effectKey\":\"" + unique + "\"}";
        String first = enqueueMail(payload);
        assertThat(isUnderWay.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        String second = enqueueMail(payload);
        await().until(() -> job(second).path("state").asText(), is("SCHEDULED"));
        goOn.countDown();

        assertThat(verdicts(completed(first).path("result"))).containsExactly("once ACCEPTED 250");
        assertThat(verdicts(completed(second).path("result"))).containsExactly("once ACCEPTED_BEFORE none");
        assertThat(job(second).path("failures").asInt()).isZero();
        assertThat(sink.mailsTo(address("once"))).hasSize(1);
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
            "{\"to\":\"a@b.c\\r\\nBcc: e@f.g\",\"text\":\"x\"}                     | /payload/to/0",
            "{\"to\":[\"a@b.c\",\"x\\u760dy@b.c\"],\"text\":\"x\"}                 | /payload/to/1",
            "{\"to\":\"a@b.c\",\"subject\":\"a\\u0085b\",\"text\":\"x\"}           | /payload/subject",
            "{\"to\":\"a@b.c\",\"replyTo\":\"a\\u2029@b.c\",\"text\":\"x\"}        | /payload/replyTo",
            "{\"to\":\"a@b.c\",\"from\":\"ceo@millrace.example\",\"text\":\"x\"}   | /payload/from",
            "{\"to\":[\"a@b.c\",\"b@b.c\",\"c@b.c\",\"d@b.c\",\"e@b.c\",\"f@b.c\"],\"text\":\"x\"} | /payload/to",
            "{\"to\":\"a@b.c\",\"txt\":\"x\"}                                      | /payload/txt",
            "[]                                                                    | /payload"})
    void what_is_wrong_with_a_mail_is_said_at_the_door(String payload, String path) {
        Api.Answer answer = post(payload);
        assertThat(answer.status()).as(answer.toString()).isEqualTo(400);
        assertThat(answer.json().path("errors").get(0).path("path").asText()).isEqualTo(path);
        assertThat(answer.json().path("type").asText()).isEqualTo("urn:millrace:problem:invalid-request");
    }

    @Test
    void a_payload_that_replaces_another_at_a_retry_is_looked_at_too() {
        sink.answer("RCPT", "550 no");
        String id = enqueueMail("{\"to\":\"", address("x"), "\",\"text\":\"x\"}");
        ended(id);
        Api.Answer answer = api.post("/v1/jobs/" + id + "/retry", "{\"payload\":{\"to\":\"a\\nb@c.d\",\"text\":\"x\"}}",
                bearer(token));
        assertThat(answer.status()).as(answer.toString()).isEqualTo(400);
        assertThat(answer.json().path("errors").get(0).path("path").asText()).isEqualTo("/payload/to/0");
        assertThat(job(id).path("state").asText()).isEqualTo("FAILED");
    }

    /** As if it had been stored before there was a check, or by somebody who writes to the table. */
    @Test
    void a_payload_that_came_past_the_door_is_rejected_by_the_handler() {
        String id = api.post("/v1/jobs", "{\"type\":\"email\",\"delay\":\"PT3S\",\"payload\":{\"to\":\"" + address("x")
                + "\",\"text\":\"x\"}}", bearer(token)).json().path("id").asText();
        query("update job set payload = '{\"to\":[\"a@b.c\"],\"subject\":\"a\\r\\nBcc: e@f.g\",\"text\":\"x\"}' "
                + "where id = '" + id + "' and state = 'SCHEDULED' returning 1");
        JsonNode job = ended(id);
        assertThat(job.path("state").asText()).isEqualTo("FAILED");
        assertThat(job.path("failure").path("reason").asText()).isEqualTo("REJECTED");
        assertThat(job.path("failure").path("message").asText()).contains("/subject", "U+000D");
        assertThat(sink.connections()).isEmpty();
    }

    /** Word for word from the third system, whose mails say nothing but whom they go to. */
    @Test
    void the_mail_job_of_the_redis_streams_scheduler_is_sent() {
        Api.Answer answer = api.post("/jobs", "{\"type\":\"EMAIL\", \"payload\":{\"to\":\"test@example.com\"}}", bearer(token));
        assertThat(answer.status()).as(answer.toString()).isEqualTo(201);
        completed(answer.json().path("jobId").asText());
        assertThat(sink.mailsTo("test@example.com")).hasSize(1);
        assertThat(sink.mailsTo("test@example.com").get(0).text()).contains("Hello,");

        Api.Answer refused = api.post("/jobs", "{\"type\":\"EMAIL\",\"payload\":{\"to\":\"no\\nbody\"}}", bearer(token));
        assertThat(refused.status()).isEqualTo(400);
        assertThat(refused.json().path("error").asText()).contains("/to/0");
    }
}
