package io.millrace.handler.email;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayNameGeneration(ReplaceUnderscores.class)
class MailAddressTest {

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
            "ada@example.org                        |              | ada@example.org",
            "Ada.Lovelace+x@EXAMPLE.Org             |              | Ada.Lovelace+x@example.org",
            "Ada Lovelace <ada@example.org>         | Ada Lovelace | ada@example.org",
            "\"Lovelace, Ada\" <ada@example.org>    | Lovelace, Ada | ada@example.org",
            "<ada@example.org>                      |              | ada@example.org",
            "root@localhost                         |              | root@localhost",
            "a@xn--bcher-kva.example                |              | a@xn--bcher-kva.example"})
    void what_is_an_address_is_read(String text, String name, String address) {
        assertThat(MailAddress.parse(text, false)).isEqualTo(new MailAddress(name, address));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "ada", "@example.org", "ada@", "ada@@example.org", "a b@example.org", "ada@exa mple.org",
            ".ada@example.org", "ada.@example.org", "a..b@example.org", "ada@-example.org", "ada@example-.org",
            "ada@example..org",
            "ada@example.org.", "ada@[127.0.0.1]", "\"ada\"@example.org", "ada@example.org>", "<ada@example.org",
            "a<ada@example.org> b",
            "ada@example.org,eve@example.org", "ada@example.org;eve@example.org", "ada@example.org <eve@example.org",
            "ada@b\u00fccher.example", "\u00e4da@example.org", "ada@example.org\r\nRCPT TO:<eve@example.org>",
            "ada\n@example.org",
            "ada@example.org\u0000", "ada@example\u0085.org", "ada@example\u2028.org", "a\u760ab@example.org",
            "a\u760db@example.org",
            "A\u760a <ada@example.org>", "A\rB <ada@example.org>", "A\"B <ada@example.org>", "A\\B <ada@example.org>",
            "ada@example.org> SIZE=1", "ada@example.org> BODY=8BITMIME <x@y.z>"})
    void what_is_none_is_refused(String text) {
        assertThatIllegalArgumentException().isThrownBy(() -> MailAddress.parse(text, false));
    }

    @Test
    void lengths_are_bounded() {
        String local = "a".repeat(64);
        assertThat(MailAddress.isValid(local + "@example.org")).isTrue();
        assertThat(MailAddress.isValid("a" + local + "@example.org")).isFalse();
        assertThat(MailAddress.isValid("a@" + "b".repeat(63) + ".org")).isTrue();
        assertThat(MailAddress.isValid("a@" + "b".repeat(64) + ".org")).isFalse();
        assertThat(MailAddress.isValid("a@" + "b.".repeat(126) + "c")).isFalse();
        assertThat(MailAddress.isValid("n".repeat(200) + " <a@b.c>")).isTrue();
        assertThat(MailAddress.isValid("n".repeat(201) + " <a@b.c>")).isFalse();
    }

    /** An address that could be matched in exponentially many ways must not keep an event loop busy. */
    @Test
    void a_long_text_that_is_no_address_is_refused_at_once() {
        long begun = System.nanoTime();
        assertThat(MailAddress.isValid("a.".repeat(100_000) + "@" + "b-".repeat(100_000))).isFalse();
        assertThat(System.nanoTime() - begun).isLessThan(1_000_000_000L);
    }

    @Test
    void a_name_is_written_as_software_reads_it() {
        assertThat(new MailAddress("Lovelace, Ada", "a@b.c").toHeader()).isEqualTo("\"Lovelace, Ada\" <a@b.c>");
        assertThat(new MailAddress("Zo\u00eb", "a@b.c").toHeader()).isEqualTo("=?UTF-8?B?Wm/Dqw==?= <a@b.c>");
        assertThat(new MailAddress("=?UTF-8?Q?=0D=0A?=", "a@b.c").toHeader())
                .startsWith("=?UTF-8?B?PT9VVEYtOD9RPz0wRD0wQT89?=");
    }
}
