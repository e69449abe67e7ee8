package io.millrace.handler.email;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import io.millrace.handler.email.Smtp.Answer;
import io.millrace.handler.email.Smtp.Ending;
import io.millrace.handler.email.Smtp.Stamp;
import io.millrace.support.Api;
import io.millrace.support.SmtpSink;
import io.smallrye.mutiny.subscription.Cancellable;
import io.vertx.core.Vertx;

/** What is said to a mail server, to the byte, and what is made of its answers. */
@Timeout(120)
@DisplayNameGeneration(ReplaceUnderscores.class)
class SmtpTest {
    private static final Duration LONG = Duration.ofSeconds(20);
    private static final String RECIPIENT = "ada@example.org";
    private static final Stamp STAMP = new Stamp("<job-1@example.com>", 3);
    private static final List<String> SIMPLE_FIELDS = List.of("From", "To", "Subject", "Message-ID", "Job-Epoch",
            "Auto-Submitted",
            "MIME-Version", "Date", "Content-Type", "Content-Transfer-Encoding");

    private final Vertx vertx = Vertx.vertx();
    private final List<Smtp> clients = new ArrayList<>();
    private SmtpSink sink = new SmtpSink();

    @AfterEach
    void close() {
        clients.forEach(Smtp::close);
        sink.close();
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    private EmailConfig config(String... settings) {
        List<String> all = new ArrayList<>(List.of("host", "localhost", "port", Integer.toString(sink.port()), "from",
                "Jobs <jobs@example.com>", "reply-timeout", "500ms"));
        all.addAll(List.of(settings));
        return Mails.config(all.toArray(String[]::new));
    }

    private Smtp smtp(String... settings) {
        Smtp smtp = new Smtp(vertx, config(settings));
        clients.add(smtp);
        return smtp;
    }

    private Letter letter(String json) {
        LetterReader.Reading reading = Mails.letters(config()).read(json);
        assertThat(reading.faults()).isEmpty();
        return reading.letter();
    }

    private Letter simple() {
        return letter("{\"to\":\"" + RECIPIENT + "\",\"subject\":\"Hi\",\"text\":\"hello\"}");
    }

    private Answer send(Smtp smtp, Letter letter) {
        return smtp.send(letter, RECIPIENT, STAMP, LONG).await().atMost(LONG);
    }

    private static void assertLinesEndWithCrLf(SmtpSink.Mail mail) {
        assertThat(mail.text().replace("\r\n", "")).doesNotContain("\r", "\n", "\0");
    }

    @Test
    void a_letter_arrives_with_exactly_these_fields() {
        Letter letter = letter("{\"to\":[\"Ada <ada@example.org>\",\"bob@example.org\"],\"cc\":\"cy@example.org\","
                + "\"bcc\":\"secret@example.org\",\"replyTo\":\"desk@example.org\",\"subject\":\"Gr\u00fc\u00dfe\","
                + "\"text\":\"first\\n.second\\n\\nlast \u00e9\"}");
        assertThat(send(smtp(), letter)).isEqualTo(new Answer(Ending.ACCEPTED, 250, null));

        SmtpSink.Mail mail = sink.mails().get(0);
        assertLinesEndWithCrLf(mail);
        assertThat(mail.from()).isEqualTo("jobs@example.com");
        assertThat(mail.recipients()).containsExactly(RECIPIENT);
        assertThat(mail.fields()).containsExactlyInAnyOrder("From", "To", "Cc", "Reply-To", "Subject", "Message-ID",
                "Job-Epoch",
                "Auto-Submitted", "MIME-Version", "Date", "Content-Type", "Content-Transfer-Encoding");
        assertThat(mail.field("From")).isEqualTo("\"Jobs\" <jobs@example.com>");
        assertThat(mail.field("To")).isEqualTo("\"Ada\" <ada@example.org>, bob@example.org");
        assertThat(mail.field("Cc")).isEqualTo("cy@example.org");
        assertThat(mail.field("Reply-To")).isEqualTo("desk@example.org");
        assertThat(mail.field("Subject")).isEqualTo("=?UTF-8?B?R3LDvMOfZQ==?=");
        assertThat(mail.field("Message-ID")).isEqualTo("<job-1@example.com>");
        assertThat(mail.field("Job-Epoch")).isEqualTo("3");
        assertThat(mail.text()).doesNotContain("secret").contains("\r\nfirst\r\n.second\r\n\r\nlast =C3=A9");
        assertThat(sink.commands()).contains("EHLO example.com", "MAIL FROM:<jobs@example.com>", "RCPT TO:<" + RECIPIENT + ">");
    }

    @Test
    void text_and_html_go_together_and_long_lists_are_folded() {
        StringBuilder to = new StringBuilder("\"" + RECIPIENT + "\"");
        for (int i = 0; i < 49; i++) {
            to.append(",\"").append("x".repeat(60)).append(i).append("@example.org\"");
        }
        Letter letter = letter(
                "{\"to\":[" + to + "],\"subject\":\"" + "word ".repeat(99) + "\",\"text\":\"t\",\"html\":\"<p>h</p>\"}");
        assertThat(send(smtp(), letter).ending()).isEqualTo(Ending.ACCEPTED);

        SmtpSink.Mail mail = sink.mails().get(0);
        assertLinesEndWithCrLf(mail);
        assertThat(mail.text().lines()).allSatisfy(line -> assertThat(line).hasSizeLessThan(998));
        assertThat(mail.field("To").split(", ")).hasSize(50);
        assertThat(mail.field("Content-Type")).startsWith("multipart/alternative");
        assertThat(mail.text()).contains("Content-Type: text/plain", "Content-Type: text/html", "<p>h</p>");
    }

    /** Whatever stands in whatever field: it is refused, or arrives as text, and the header has the fields it should have. */
    @Test
    void no_text_in_any_field_adds_a_field_or_a_recipient() {
        List<String> corpus = List.of("\r\nBcc: eve@example.org", "\nBcc: eve@example.org", "\rBcc: eve@example.org",
                "\r\n\r\nbody",
                "\u0000", "\u0000Bcc: eve@example.org", "\u000b", "\u001b[2J", "\u007f", "\u0085Bcc: eve@example.org",
                "\u2028Bcc: eve@example.org", "\u2029Bcc: eve@example.org", "\u760d\u760aBcc: eve@example.org",
                "\u010d\u010aBcc: eve@example.org", "\u560d\u560a", "\uff0d\uff0a", "%0d%0aBcc: eve@example.org",
                "%0D%0ABcc:%20eve@example.org", "\\r\\nBcc: eve@example.org", "=?UTF-8?Q?=0D=0ABcc:_eve@example.org?=",
                "=?UTF-8?B?DQpCY2M6IGV2ZUBleGFtcGxlLm9yZw==?=", "> SIZE=1", ">\r\nRCPT TO:<eve@example.org",
                ", eve@example.org",
                "; eve@example.org", "<eve@example.org>", "\"<eve@example.org>\"", "\r\n.\r\nMAIL FROM:<eve@example.org>\r\n",
                "\n.\nMAIL FROM:<eve@example.org>\n", "\r.\rMAIL FROM:<eve@example.org>\r", "\r\n.\n", "{7*7}",
                "${jndi:ldap://x}",
                "\ud83d\udc0a", "\ud83d\ude00", "' OR 1=1--");
        Map<String, String> places = new LinkedHashMap<>();
        places.put("to", "{\"to\":[%s],\"subject\":\"s\",\"text\":\"t\"}");
        places.put("cc", "{\"to\":\"" + RECIPIENT + "\",\"cc\":[%s],\"text\":\"t\"}");
        places.put("bcc", "{\"to\":\"" + RECIPIENT + "\",\"bcc\":[%s],\"text\":\"t\"}");
        places.put("from", "{\"to\":\"" + RECIPIENT + "\",\"from\":%s,\"text\":\"t\"}");
        places.put("replyTo", "{\"to\":\"" + RECIPIENT + "\",\"replyTo\":%s,\"text\":\"t\"}");
        places.put("subject", "{\"to\":\"" + RECIPIENT + "\",\"subject\":%s,\"text\":\"t\"}");
        places.put("text", "{\"to\":\"" + RECIPIENT + "\",\"text\":%s}");
        places.put("html", "{\"to\":\"" + RECIPIENT + "\",\"html\":%s}");
        places.put("name", "{\"to\":\"" + RECIPIENT + "\",\"template\":\"welcome\",\"data\":{\"name\":%s}}");
        places.put("effectKey", "{\"to\":\"" + RECIPIENT + "\",\"text\":\"t\",\"effectKey\":%s}");
        LetterReader letters = Mails.letters(config());
        Smtp smtp = smtp("reply-timeout", "10s");
        int tried = 0;
        int sent = 0;
        for (Map.Entry<String, String> place : places.entrySet()) {
            for (String text : corpus) {
                for (String value : List.of(text, "A" + text, "A" + text + " <ada@example.org>", "ada@example.org" + text,
                        text + "ada@example.org", "ada" + text + "@example.org")) {
                    String payload = String.format(place.getValue(), Api.quoted(value));
                    Letter letter = letters.read(payload).letter();
                    tried++;
                    if (letter == null) {
                        continue;
                    }
                    int before = sink.mails().size();
                    String recipient = letter.recipients().get(0);
                    Answer answer = smtp.send(letter, recipient, STAMP, LONG).await().atMost(LONG);
                    assertThat(answer.ending()).as(payload + answer).isEqualTo(Ending.ACCEPTED);
                    assertThat(sink.mails()).as(payload).hasSize(before + 1);
                    SmtpSink.Mail mail = sink.mails().get(before);
                    assertThat(mail.recipients()).as(payload).containsExactly(recipient);
                    assertLinesEndWithCrLf(mail);
                    List<String> expected = new ArrayList<>(SIMPLE_FIELDS);
                    if (place.getKey().equals("name")) {
                        expected.remove("Content-Transfer-Encoding"); // it stands with each of the parts
                    }
                    if (!letter.cc().isEmpty()) {
                        expected.add("Cc");
                    }
                    if (letter.replyTo() != null) {
                        expected.add("Reply-To");
                    }
                    assertThat(mail.fields()).as(payload).containsExactlyInAnyOrderElementsOf(expected);
                    sent++;
                }
            }
        }
        assertThat(sink.commands().stream().filter(command -> command.contains("eve@") && !command.startsWith("RCPT")))
                .isEmpty();
        System.getLogger("SmtpTest").log(System.Logger.Level.INFO, "injection corpus: " + tried + " payloads, " + sent
                + " sent with the expected fields, " + (tried - sent) + " refused");
        assertThat(sent).isBetween(tried / 10, tried - tried / 10);
    }

    @ParameterizedTest
    @CsvSource({"RCPT,450 4.2.0 greylisted,DEFERRED,450", "RCPT,550 5.1.1 no such user,REFUSED,550",
            "RCPT,421 closing,LOST,421",
            "MAIL,451 later,DEFERRED,451", "MAIL,553 sender not allowed,REFUSED,553", "DATA,451 later,DEFERRED,451",
            "DATA,554 no,REFUSED,554", "(mail),452 disk full,DEFERRED,452", "(mail),554 spam,REFUSED,554",
            "RCPT,530 STARTTLS first,LOST,530"})
    void an_answer_is_a_verdict_for_its_recipient(String said, String reply, Ending ending, int code) {
        sink.answer(said, reply);
        Answer answer = send(smtp(), simple());
        assertThat(answer.ending()).isEqualTo(ending);
        assertThat(answer.code()).isEqualTo(code);
        assertThat(answer.message()).contains(reply.substring(4));
        assertThat(sink.mails()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {SmtpSink.GREETING, "EHLO", "MAIL", "RCPT", "DATA", SmtpSink.MAIL})
    void a_server_that_hangs_up_or_falls_silent_is_lost_wherever_it_does(String said) {
        Smtp smtp = smtp("send-timeout", "2s", "max-connections", "1");
        for (String fault : List.of(SmtpSink.CUT, SmtpSink.SILENCE)) {
            sink.answer(said, fault);
            long begun = System.nanoTime();
            Answer answer = send(smtp, simple());
            assertThat(answer.ending()).as(fault).isEqualTo(Ending.LOST);
            assertThat(answer.code()).isNull();
            assertThat(answer.message()).isNotBlank();
            assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(5));
        }
        sink.answerAsUsual(said);
        await().atMost(LONG).untilAsserted(() -> assertThat(send(smtp, simple()).ending())
                .as("its only connection is free again").isEqualTo(Ending.ACCEPTED));
    }

    @Test
    void a_server_that_is_away_or_says_no_to_everybody_is_lost() {
        sink.answer(SmtpSink.GREETING, "554 no service");
        assertThat(send(smtp(), simple()).ending()).isEqualTo(Ending.LOST);
        sink.close();
        Answer answer = send(smtp(), simple());
        assertThat(answer.ending()).isEqualTo(Ending.LOST);
        assertThat(answer.message()).containsIgnoringCase("refused");
    }

    @Test
    void hostile_answers_are_cut_cleaned_and_never_taken_for_a_yes() {
        for (String reply : List.of("550 \u001b[31mred\u0007\u0000", "550 " + "x".repeat(100_000), "hello", "999 what",
                "000 nothing",
                "2", "550-a\r\n550-b\r\n550 c", "{\"level\":\"INFO\"}", "-1 x", "\u00ff\u00fe\u00fd")) {
            sink.answer("RCPT", reply);
            Answer answer = send(smtp(), simple());
            assertThat(answer.ending()).as(reply.substring(0, Math.min(40, reply.length())) + answer)
                    .isNotEqualTo(Ending.ACCEPTED);
            assertThat(answer.message()).hasSizeLessThanOrEqualTo(300);
            assertThat(answer.message().chars()).noneMatch(Character::isISOControl);
        }
        assertThat(sink.mails()).isEmpty();
    }

    @Test
    void the_password_is_not_told_even_if_the_server_repeats_it(@TempDir Path folder) throws Exception {
        String password = "canary-7f3a";
        Path file = Files.writeString(folder.resolve("password"), password + "\n");
        String[] settings = {"username", "me", "password-file", file.toString(), "start-tls", "disabled"};
        sink.answer("RCPT", "550 you said " + password);
        assertThat(send(smtp(settings), simple()).message()).contains("you said ***").doesNotContain(password);
        assertThat(sink.commands()).anyMatch(command -> command.startsWith("AUTH"));

        sink.answer("AUTH", "535 wrong: " + password);
        Answer refused = send(smtp(settings), simple());
        assertThat(refused.ending()).as("who runs this can mend it").isEqualTo(Ending.LOST);
        assertThat(refused.message()).doesNotContain(password);
    }

    /** One connection, and a server that never answers on it. */
    @Test
    void a_mail_whose_attempt_is_over_is_not_sent_when_a_connection_is_free_at_last() {
        Smtp smtp = smtp("max-connections", "1", "send-timeout", "200ms", "reply-timeout", "3s");
        sink.answer(SmtpSink.GREETING, SmtpSink.SILENCE);
        assertThat(send(smtp, simple()).ending()).isEqualTo(Ending.LOST);

        // The first conversation still has the connection; this one waits for it, is given up, and must not come after all.
        CompletableFuture<Answer> late = smtp.send(simple(), "late@example.org", STAMP, LONG).subscribeAsCompletionStage();
        assertThat(late.join().ending()).isEqualTo(Ending.LOST);
        Cancellable cancelled = smtp.send(simple(), "cancelled@example.org", STAMP, LONG).subscribe().with(answer -> {});
        cancelled.cancel();
        sink.answerAsUsual(SmtpSink.GREETING);

        await().atMost(LONG).untilAsserted(() -> assertThat(send(smtp, simple()).ending()).isEqualTo(Ending.ACCEPTED));
        assertThat(sink.mailsTo("late@example.org")).isEmpty();
        assertThat(sink.mailsTo("cancelled@example.org")).isEmpty();
        assertThat(sink.mailsTo(RECIPIENT)).isNotEmpty();
    }

    @Test
    void connections_are_used_again_and_never_more_than_allowed() {
        Smtp smtp = smtp("max-connections", "2", "reply-timeout", "10s");
        List<CompletableFuture<Answer>> sent = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            sent.add(smtp.send(simple(), RECIPIENT, STAMP, LONG).subscribeAsCompletionStage());
        }
        assertThat(sent.stream().map(CompletableFuture::join)).containsOnly(new Answer(Ending.ACCEPTED, 250, null));
        assertThat(sink.mails()).hasSize(200);
        assertThat(sink.connections()).hasSizeLessThanOrEqualTo(2);
    }

    @Test
    void a_login_goes_over_tls_and_a_server_without_it_gets_nothing(@TempDir Path folder) throws Exception {
        TestTls tls = TestTls.make(folder, "localhost");
        Path password = Files.write(folder.resolve("password"), "s3cret".getBytes(StandardCharsets.UTF_8));
        String[] login = {"username", "me", "password-file", password.toString(), "trust", tls.certificate().toString()};
        Answer plain = send(smtp(login), simple());
        assertThat(plain.ending()).isEqualTo(Ending.LOST);
        assertThat(plain.message()).containsIgnoringCase("STARTTLS");
        assertThat(sink.commands()).noneMatch(command -> command.startsWith("AUTH") || command.startsWith("MAIL"));

        sink.close();
        sink = new SmtpSink(0, tls.context());
        assertThat(send(smtp(login), simple()).ending()).isEqualTo(Ending.ACCEPTED);
        assertThat(sink.mails().get(0).isEncrypted()).isTrue();
        assertThat(sink.commands().indexOf("STARTTLS"))
                .isLessThan(sink.commands().stream().map(command -> command.split(" ")[0])
                        .toList().indexOf("AUTH"));
    }

    @Test
    void a_server_nobody_vouches_for_gets_nothing(@TempDir Path folder) {
        sink.close();
        sink = new SmtpSink(0, TestTls.make(folder, "localhost").context());
        assertThat(send(smtp("start-tls", "required"), simple()).ending()).as("unknown certificate").isEqualTo(Ending.LOST);
        assertThat(send(smtp("start-tls", "optional"), simple()).ending()).as("also if it was optional").isEqualTo(Ending.LOST);

        TestTls elsewhere = TestTls.make(folder, "elsewhere.example");
        sink.close();
        sink = new SmtpSink(0, elsewhere.context());
        String[] trusting = {"start-tls", "required", "trust", elsewhere.certificate().toString()};
        assertThat(send(smtp(trusting), simple()).ending()).as("of another host").isEqualTo(Ending.LOST);
        assertThat(sink.mails()).isEmpty();
        assertThat(send(smtp("start-tls", "disabled"), simple()).ending()).isEqualTo(Ending.ACCEPTED);
        assertThat(sink.mails().get(0).isEncrypted()).isFalse();
    }
}
