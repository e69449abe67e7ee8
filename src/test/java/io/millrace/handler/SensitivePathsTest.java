package io.millrace.handler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import io.millrace.handler.trial.EchoHandler;
import io.millrace.job.Failure;
import io.millrace.support.TestConfig;

@DisplayNameGeneration(ReplaceUnderscores.class)
class SensitivePathsTest {

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
            "/a|{\"a\": \"x\", \"b\": 1.0}|{\"a\": \"***\", \"b\": 1.0}",
            "/a|{\"a\":{\"b\":[1,{}]},\"c\" : -0}|{\"a\":\"***\",\"c\" : -0}",
            "/a|{\"a\":1e400}|{\"a\":\"***\"}",
            "/a|{\"a\":null , \"a\":true}|{\"a\":\"***\" , \"a\":\"***\"}",
            "/a|{\"\\u0061\":\"x\"}|{\"\\u0061\":\"***\"}",
            "/a/b|{\"a\":{\"b\":1,\"c\":2},\"b\":3}|{\"a\":{\"b\":\"***\",\"c\":2},\"b\":3}",
            "/a/*|{\"a\":[1,\"x\",[2]],\"b\":[3]}|{\"a\":[\"***\",\"***\",\"***\"],\"b\":[3]}",
            "/*/b|{\"a\":{\"b\":1},\"c\":[{\"b\":2}],\"d\":{\"b\":[]}}|{\"a\":{\"b\":\"***\"},\"c\":[{\"b\":2}],\"d\":{\"b\":\"***\"}}",
            "/0|[1,2]|[\"***\",2]",
            "/a~1b/~0|{\"a/b\":{\"~\":1}}|{\"a/b\":{\"~\":\"***\"}}",
            "/a|[\"a\"]|[\"a\"]", "/a|\"a\"|\"a\"", "/a|7|7", "/a|null|null",
            "/a|{\"b\":[{\"a\":1}]}|{\"b\":[{\"a\":1}]}"})
    void sensitive_values_are_masked_and_the_rest_is_kept_to_the_byte(String pointer, String json, String masked) {
        assertThat(SensitivePaths.of(List.of(pointer)).mask(json)).isEqualTo(masked);
    }

    @Test
    void several_paths_may_overlap() {
        SensitivePaths paths = SensitivePaths.of(List.of("/a/*", "/a/b/c", "/*/d", "/e"));
        assertThat(paths.mask("{\"a\":{\"b\":{\"c\":1}},\"x\":{\"d\":2,\"b\":3},\"e\":4}"))
                .isEqualTo("{\"a\":{\"b\":\"***\"},\"x\":{\"d\":\"***\",\"b\":3},\"e\":\"***\"}");
    }

    @Test
    void without_paths_and_without_a_text_nothing_is_done() {
        String json = "{\"a\":1}";
        assertThat(SensitivePaths.of(List.of()).mask(json)).isSameAs(json);
        assertThat(SensitivePaths.of(List.of("/a")).mask(null)).isNull();
    }

    @Test
    void what_cannot_be_read_is_not_shown() {
        assertThat(SensitivePaths.of(List.of("/a")).mask("{\"a\":")).isEqualTo("\"***\"");
    }

    @Test
    void a_deep_text_is_masked_too() {
        String deep = "[".repeat(400) + "{\"a\":1}" + "]".repeat(400);
        assertThat(SensitivePaths.of(List.of("/0".repeat(400) + "/a")).mask(deep)).contains("{\"a\":\"***\"}");
    }

    @Test
    void a_mask_that_comes_back_is_found_where_it_would_be_stored() {
        SensitivePaths paths = SensitivePaths.of(List.of("/card/number", "/keys/*"));
        assertThat(paths.findMasks("{\"card\":{\"number\":\"***\"},\"keys\":[\"x\",\"***\"],\"note\":\"***\"}"))
                .containsExactly("/card/number", "/keys/1");
        assertThat(paths.findMasks("{\"card\":{\"number\":\"1***\"}}")).isEmpty();
        assertThat(SensitivePaths.NONE.findMasks("{\"card\":\"***\"}")).isEmpty();
    }

    @Test
    void values_are_struck_out_of_what_is_said_of_a_failure() {
        SensitivePaths paths = SensitivePaths.of(List.of("/card", "/pin"));
        Failure failure = new Failure(null, "CardRefused", "4111-1111 was refused, and so was 4111-1111-2222",
                "CardRefused: 4111-1111\n\tat a.B.c", "{\"number\":\"4111-1111\",\"n\":123456,\"pin\":123,\"m\":\"4111\"}");

        Failure struck = paths.strike("{\"card\":{\"a\":\"4111-1111\",\"b\":[\"4111-1111-2222\",123456]},\"pin\":\"123\"}",
                failure);

        assertThat(struck.message()).isEqualTo("*** was refused, and so was ***");
        assertThat(struck.stack()).isEqualTo("CardRefused: ***\n\tat a.B.c");
        assertThat(struck.detail()).as("too short, or only a part: stays")
                .isEqualTo("{\"number\":\"***\",\"n\":\"***\",\"pin\":123,\"m\":\"4111\"}");
    }

    @Test
    void of_a_payload_with_very_many_values_nothing_is_said() {
        String values = IntStream.range(0, 101).mapToObj(i -> "\"value-" + i + "\"").collect(Collectors.joining(","));
        Failure failure = new Failure(null, "Refused", "value-7 was refused", "stack", "{}");
        assertThat(SensitivePaths.of(List.of("/a")).strike("{\"a\":[" + values + "]}", failure))
                .isEqualTo(new Failure(null, "Refused", "***", null, null));
    }

    @Test
    void a_failure_without_texts_stays_as_it_is() {
        Failure failure = new Failure(null, "Timeout", null, null, null);
        assertThat(SensitivePaths.of(List.of("/a")).strike("{\"a\":\"secret\"}", failure)).isEqualTo(failure);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a", "a/b", "/a~2", "/~"})
    void what_is_no_pointer_is_refused(String pointer) {
        assertThatIllegalArgumentException().isThrownBy(() -> SensitivePaths.of(List.of(pointer)));
        if (!pointer.isEmpty()) {
            assertThat(TestConfig.faults(TypesConfig.class, Map.of("millrace.types.echo.sensitive", pointer))).isNotEmpty();
        }
    }

    @Test
    void a_setting_adds_to_what_the_type_says() {
        TypesConfig config = TestConfig.of(TypesConfig.class, Map.of("millrace.types.echo.sensitive", "/a/b,/c/*",
                "millrace.types.\"my.type\".sensitive", "/d"));
        assertThat(config.types().get("echo").sensitive()).contains(List.of("/a/b", "/c/*"));
        assertThat(config.types().get("my.type").sensitive()).contains(List.of("/d"));
        JobHandlers handlers = new JobHandlers(List.of(new EchoHandler()), config);
        assertThat(handlers.sensitive("echo").pointers()).containsExactly("/a/b", "/c/*");
        assertThat(handlers.sensitive("my.type").mask("{\"d\":1}")).as("of another process").isEqualTo("{\"d\":\"***\"}");
        assertThat(handlers.sensitive("other")).isSameAs(SensitivePaths.NONE);
    }
}
