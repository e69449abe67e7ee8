package io.millrace.chaos.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Stream;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is woven in hangs on names and texts of the application: this says at once when one of them has changed. */
@DisplayNameGeneration(ReplaceUnderscores.class)
class MutationTest {
    private static final Path RESOURCES = Path.of("src", "main", "resources");

    @ParameterizedTest
    @EnumSource
    void every_point_is_a_method_of_the_application(Point point) throws ClassNotFoundException {
        if (point.type() != null) {
            assertThat(Class.forName(point.type()).getDeclaredMethods()).as("%s.%s", point.type(), point.method())
                    .anyMatch(method -> method.getName().equals(point.method()));
        }
    }

    @ParameterizedTest
    @EnumSource
    void every_mutation_of_a_text_finds_it(Mutation mutation) throws IOException {
        for (Mutation.Text change : mutation.texts()) {
            String text = Files
                    .readString(RESOURCES.resolve(change.file() + (change.file().startsWith("sql") ? ".sql" : ".lua")));
            assertThat(mutation.apply(change.file(), text)).isNotEqualTo(text);
        }
    }

    /** The agent is handed to the JVM; nothing of it is in main code, and so nothing of it can be in what is packaged. */
    @Test
    void main_code_knows_nothing_of_points_and_mutations() throws IOException {
        try (Stream<Path> files = Files.walk(Path.of("src", "main"))) {
            assertThat(files.filter(Files::isRegularFile).filter(MutationTest::mentionsChaos)).isEmpty();
        }
    }

    private static boolean mentionsChaos(Path file) {
        try {
            String text = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
            return Stream.of("chaos", "failpoint", "bytebuddy").anyMatch(text.toLowerCase(Locale.ROOT)::contains);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
