package io.millrace.handler.email;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import io.millrace.handler.PayloadFault;
import io.millrace.support.TestConfig;

@DisplayNameGeneration(ReplaceUnderscores.class)
class LetterReaderTest {
    final LetterReader letters = Mails.letters(Mails.config("from", "Jobs <jobs@example.org>", "senders",
            "news@example.org,@partner.example", "max-recipients", "3", "max-body", "1000"));

    private Letter letter(String json) {
        LetterReader.Reading reading = letters.read(json);
        assertThat(reading.faults()).isEmpty();
        return reading.letter();
    }

    private List<String> faults(String json) {
        LetterReader.Reading reading = letters.read(json);
        assertThat(reading.letter()).isNull();
        return reading.faults().stream().map(fault -> fault.path() + " " + fault.code()).toList();
    }

    @Test
    void a_letter_has_what_the_payload_says() {
        Letter letter = letter("{\"to\":[\"Ada <ada@Example.org>\"],\"cc\":\"bob@example.org\",\"bcc\":[\"ada@example.org\"],"
                + "\"from\":\"News <news@example.org>\",\"replyTo\":\"desk@example.org\",\"subject\":\"Hi\",\"text\":\"a\\r\\nb\\rc\"}");
        assertThat(letter.from()).isEqualTo(new MailAddress("News", "news@example.org"));
        assertThat(letter.replyTo().address()).isEqualTo("desk@example.org");
        assertThat(letter.subject()).isEqualTo("Hi");
        assertThat(letter.text()).isEqualTo("a\nb\nc");
        assertThat(letter.html()).isNull();
        assertThat(letter.recipients()).as("each once").containsExactly("ada@example.org", "bob@example.org");
    }

    @Test
    void the_template_that_ships_fills_in_and_escapes_where_it_is_html() {
        Letter letter = letter(
                "{\"to\":\"a@b.c\",\"template\":\"welcome\",\"data\":{\"name\":\"<b>Ada</b> {1+1} {config:x}\"}}");
        assertThat(letter.subject()).isEqualTo("Welcome");
        assertThat(letter.from().address()).isEqualTo("jobs@example.org");
        assertThat(letter.text()).startsWith("Hello <b>Ada</b> {1+1} {config:x},");
        assertThat(letter.html()).contains("<p>Hello &lt;b&gt;Ada&lt;/b&gt; {1+1} {config:x},</p>");
        assertThat(letter("{\"to\":\"a@b.c\",\"template\":\"welcome\",\"subject\":\"Mine\"}").text()).startsWith("Hello,");
        assertThat(letter("{\"to\":\"a@b.c\",\"template\":\"welcome\",\"subject\":\"Mine\"}").subject()).isEqualTo("Mine");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
            "null                                                                | ` not-an-object`",
            "[]                                                                  | ` invalid-value`",
            "\"a@b.c\"                                                           | ` invalid-value`",
            "{}                                                                  | /to missing, /text missing",
            "{\"to\":[],\"text\":\"x\"}                                          | /to missing",
            "{\"to\":[null],\"text\":\"x\"}                                      | /to/0 invalid-address",
            "{\"to\":[\"a@b.c\",\"no\"],\"text\":\"x\"}                          | /to/1 invalid-address",
            "{\"to\":{\"a\":1},\"text\":\"x\"}                                   | /to/0 invalid-value",
            "{\"to\":[7],\"text\":\"x\"}                                         | /to/0 invalid-value",
            "{\"to\":\"a@b.c\",\"text\":7}                                       | /text invalid-value",
            "{\"to\":\"a@b.c\",\"text\":\"x\",\"texts\":1}                       | /texts unknown-field",
            "{\"to\":\"a@b.c\",\"text\":\"x\",\"text\":\"y\"}                    | ` invalid-value`",
            "{\"to\":\"a@b.c\",\"text\":\"x\",\"headers\":{\"Bcc\":\"e@f.g\"}}   | /headers unknown-field",
            "{\"to\":[\"a@b.c\",\"b@b.c\"],\"cc\":\"c@b.c\",\"bcc\":\"d@b.c\",\"text\":\"x\"} | /to too-many",
            "{\"to\":\"a@b.c\",\"text\":\"x\",\"from\":\"eve@example.org\"}      | /from not-allowed",
            "{\"to\":\"a@b.c\",\"text\":\"x\",\"from\":\"a@sub.partner.example\"} | /from not-allowed",
            "{\"to\":\"a@b.c\",\"text\":\"x\",\"subject\":\"a\\r\\nBcc: e@f.g\"} | /subject forbidden-character",
            "{\"to\":\"a@b.c\",\"text\":\"x\",\"effectKey\":\"a b\"}             | /effectKey invalid-key",
            "{\"to\":\"a@b.c\",\"text\":\"x\",\"data\":{}}                       | /data conflict",
            "{\"to\":\"a@b.c\",\"text\":\"x\",\"template\":\"welcome\"}          | /template conflict",
            "{\"to\":\"a@b.c\",\"template\":\"{1+1}\"}                           | /template unknown-template",
            "{\"to\":\"a@b.c\",\"template\":\"../../sql/find_job\"}              | /template unknown-template",
            "{\"to\":\"a@b.c\",\"text\":\"a\\u0000\"}                            | /text forbidden-character"})
    void what_is_wrong_is_named_with_its_path(String json, String expected) {
        assertThat(String.join(", ", faults(json))).isEqualTo(expected);
    }

    @Test
    void bounds_hold() {
        assertThat(faults("{\"to\":\"a@b.c\",\"text\":\"" + "\u00e9".repeat(501) + "\"}")).containsExactly("/text too-long");
        assertThat(letter("{\"to\":\"a@b.c\",\"text\":\"" + "\u00e9".repeat(500) + "\"}").text()).hasSize(500);
        assertThat(faults("{\"to\":\"a@b.c\",\"text\":\"x\",\"subject\":\"" + "s".repeat(501) + "\"}"))
                .containsExactly("/subject too-long");
        String many = IntStream.range(0, 50_000).mapToObj(i -> "\"a@b.c\"").collect(Collectors.joining(","));
        assertThat(faults("{\"to\":[" + many + "],\"text\":\"x\"}")).containsExactly("/to too-many");
    }

    @Test
    void a_sender_of_a_domain_that_is_allowed_may_write() {
        assertThat(letter("{\"to\":\"a@b.c\",\"text\":\"x\",\"from\":\"any@PARTNER.example\"}").from().address())
                .isEqualTo("any@partner.example");
    }

    @Test
    void a_folder_adds_templates(@TempDir Path folder) throws IOException {
        Files.writeString(folder.resolve("bill.subject.txt"), "Bill {number}\n");
        Files.writeString(folder.resolve("bill.html"), "<p>{sum}</p>{#for item in items}<i>{item}</i>{/for}");
        Files.writeString(folder.resolve("README.md"), "{no template");
        LetterReader more = Mails.letters(Mails.config("templates", folder.toString()));

        Letter letter = more.read("{\"to\":\"a@b.c\",\"template\":\"bill\",\"data\":{\"number\":7,\"sum\":\"1 < 2\","
                + "\"items\":[\"a&b\"]}}").letter();
        assertThat(letter.subject()).isEqualTo("Bill 7");
        assertThat(letter.text()).isNull();
        assertThat(letter.html()).isEqualTo("<p>1 &lt; 2</p><i>a&amp;b</i>");
        PayloadFault missing = more.read("{\"to\":\"a@b.c\",\"template\":\"bill\",\"data\":{\"number\":7}}").faults().get(0);
        assertThat(missing.path() + " " + missing.code()).isEqualTo("/data incomplete");
        PayloadFault split = more
                .read("{\"to\":\"a@b.c\",\"template\":\"bill\",\"data\":{\"number\":\"7\\nBcc: e@f.g\",\"sum\":1,"
                        + "\"items\":[]}}")
                .faults().get(0);
        assertThat(split.path() + " " + split.code()).isEqualTo("/data forbidden-character");
    }

    @Test
    void a_file_that_is_no_template_stops_the_start(@TempDir Path folder) throws IOException {
        Files.writeString(folder.resolve("broken.txt"), "{#if x}");
        assertThatIllegalStateException().isThrownBy(() -> Mails.letters(Mails.config("templates", folder.toString())))
                .withMessageContaining("broken.txt");
    }

    @ParameterizedTest
    @CsvSource({"from,nobody,from", "senders,'a@b.c,no',senders", "host-name,a b,host-name", "username,me,password-file",
            "password,secret,username", "password-file,/nowhere/at/all,password-file", "trust,/nowhere/at/all,trust",
            "templates,/nowhere/at/all,templates", "max-body,0,max-body", "max-body,11M,max-body"})
    void a_setting_that_cannot_be_used_is_named(String key, String value, String named) {
        assertThat(TestConfig.faults(EmailConfig.class, Mails.keys(key, value)))
                .anySatisfy(fault -> assertThat(fault).contains("millrace.mail." + named));
    }

    @ParameterizedTest
    @CsvSource({"port,0", "port,70000", "max-recipients,0", "max-connections,101", "connect-timeout,1ms", "reply-timeout,1h",
            "send-timeout,1h"})
    void a_number_out_of_bounds_is_refused(String key, String value) {
        assertThat(TestConfig.faults(EmailConfig.class, Mails.keys(key, value))).isNotEmpty();
        assertThat(TestConfig.faults(EmailConfig.class, Mails.keys())).isEmpty();
    }
}
