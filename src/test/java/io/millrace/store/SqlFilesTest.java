package io.millrace.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayNameGeneration(ReplaceUnderscores.class)
class SqlFilesTest {

    static final Path SQL = Path.of("src/main/resources/sql");
    static final Pattern READ = Pattern.compile("SqlFile\\.read\\(\"(\\w+)\"\\)");
    static final Pattern PARAMETER = Pattern.compile("\\$(\\d+)");

    static List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(SQL)) {
            return files.map(file -> file.getFileName().toString().replace(".sql", "")).sorted().toList();
        }
    }

    static List<String> found(Pattern pattern, String text) {
        return pattern.matcher(text).results().map((MatchResult match) -> match.group(1)).toList();
    }

    static String header(String name) throws IOException {
        return Files.readAllLines(SQL.resolve(name + ".sql")).stream().takeWhile(line -> line.startsWith("-- "))
                .collect(Collectors.joining("\n"));
    }

    @Test
    void every_statement_is_read_by_exactly_one_constant() throws IOException {
        List<String> read;
        try (Stream<Path> sources = Files.list(Path.of("src/main/java/io/millrace/store"))) {
            read = sources.flatMap(source -> found(READ, read(source)).stream()).sorted().toList();
        }
        assertThat(read).isEqualTo(names());
    }

    @ParameterizedTest
    @MethodSource("names")
    void a_statement_begins_with_what_it_does_and_names_its_parameters(String name) throws IOException {
        Set<String> used = new TreeSet<>(found(PARAMETER, SqlFile.read(name)));

        assertThat(header(name)).isNotBlank();
        assertThat(new TreeSet<>(found(PARAMETER, header(name)))).as("parameters in the header").isEqualTo(used);
        assertThat(used).as("parameters are numbered without gaps").hasSize(
                used.stream().mapToInt(Integer::parseInt).max().orElse(0));
    }

    @ParameterizedTest
    @MethodSource("names")
    void comments_do_not_travel_to_the_server(String name) {
        assertThat(SqlFile.read(name)).isNotBlank().doesNotContain("--").doesNotEndWith(";");
    }

    @Test
    void a_missing_statement_stops_the_start() {
        assertThatIllegalStateException().isThrownBy(() -> SqlFile.read("drop_everything"))
                .withMessage("missing statement /sql/drop_everything.sql");
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
