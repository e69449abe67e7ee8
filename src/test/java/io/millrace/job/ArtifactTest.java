package io.millrace.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayNameGeneration(ReplaceUnderscores.class)
class ArtifactTest {

    static final String LONGEST = "a".repeat(128);

    static String[] longestName() {
        return new String[]{LONGEST};
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "thumb-128.png", "_x", "-", "A.tar.gz", "a..b"})
    @MethodSource("longestName")
    void a_name_is_a_plain_file_name(String name) {
        assertThat(new Artifact(name, "image/png", new byte[0]).name()).isEqualTo(name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "..", ".hidden", "a/b", "a\\b", "a b", "a\n", "caf\u00e9", "a%2fb", "a\u0000"})
    void a_name_that_could_mean_something_to_a_path_or_a_header_is_refused(String name) {
        assertThatIllegalArgumentException().isThrownBy(() -> new Artifact(name, "image/png", new byte[0]));
    }

    @ParameterizedTest
    @MethodSource("longestName")
    void a_name_has_at_most_128_characters(String longest) {
        assertThatIllegalArgumentException().isThrownBy(() -> new Artifact(longest + "a", "image/png", new byte[0]));
    }
}
