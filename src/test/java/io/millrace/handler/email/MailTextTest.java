package io.millrace.handler.email;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.stream.Collectors;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(ReplaceUnderscores.class)
class MailTextTest {

    /** Every UTF-16 unit there is, held against the rule in words. */
    @Test
    void a_header_holds_nothing_that_ends_a_line_anywhere() {
        int refused = 0;
        for (int unit = 0; unit <= 0xFFFF; unit++) {
            boolean isLineEndOfBytes = (unit & 0xFF) == 0x0A || (unit & 0xFF) == 0x0D;
            boolean isControl = unit < 0x20 || unit >= 0x7F && unit < 0xA0 || unit == 0x2028 || unit == 0x2029;
            boolean isHalf = unit >= 0xD800 && unit <= 0xDFFF;
            boolean isRefused = MailText.findHeaderFault("a" + (char) unit + "b", false) != null;
            assertThat(isRefused).as("U+%04X", unit).isEqualTo(isLineEndOfBytes || isControl || isHalf);
            refused += isRefused ? 1 : 0;
            boolean isRefusedAnyway = MailText.findHeaderFault("a" + (char) unit + "b", true) != null;
            assertThat(isRefusedAnyway).as("U+%04X with look-alikes", unit).isEqualTo(isControl || isHalf);
        }
        assertThat(refused).isGreaterThan(2_500);
        assertThat(MailText.findHeaderFault("caf\u00e9 \u65e5\u672c \ud83d\ude00", false)).isNull();
        assertThat(MailText.findHeaderFault("\ud83d\udc0a", false)).as("half of this pair ends in 0A").contains("U+DC0A");
    }

    @Test
    void a_body_holds_lines_and_tabs_and_no_other_controls() {
        assertThat(MailText.findBodyFault("a\r\n\tb\n\u010d\u760d\u2028")).isNull();
        assertThat(MailText.findBodyFault("a\u0000")).contains("U+0000");
        assertThat(MailText.findBodyFault("a\u001b[31m")).contains("U+001B");
        assertThat(MailText.findBodyFault("\ud800")).contains("surrogate");
    }

    @Test
    void a_long_subject_is_folded_at_blanks_and_stays_the_same() {
        String subject = "word ".repeat(60).strip();
        String folded = MailText.encode(subject, 9);
        assertThat(folded.split("\r\n")).hasSizeGreaterThan(3)
                .allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(76));
        assertThat(folded.replace("\r\n", "")).isEqualTo(subject);
        assertThat(MailText.encode("a  b", 9)).isEqualTo("a  b");
    }

    @Test
    void what_is_not_ascii_is_written_in_words_that_never_cut_a_character() {
        String subject = "\ud83d\ude00\u00e9\u65e5".repeat(40);
        String[] words = MailText.encode(subject, 9).split("\r\n ");
        assertThat(words).hasSizeGreaterThan(5).allSatisfy(word -> assertThat(word).hasSizeLessThanOrEqualTo(75));
        String decoded = Arrays.stream(words).map(word -> word.substring("=?UTF-8?B?".length(), word.length() - 2))
                .map(word -> new String(Base64.getDecoder().decode(word), StandardCharsets.UTF_8))
                .collect(Collectors.joining());
        assertThat(decoded).isEqualTo(subject);
    }
}
