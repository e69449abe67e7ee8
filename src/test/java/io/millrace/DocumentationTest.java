package io.millrace;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;

import io.millrace.job.JobTransition;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithParentName;

/** What the documentation says, held against the code. */
@DisplayNameGeneration(ReplaceUnderscores.class)
class DocumentationTest {

    @Test
    void every_setting_is_documented_and_every_documented_setting_exists() throws IOException {
        Set<String> documented = find("docs/settings.md", "(?m)^\\| `(millrace\\.[a-z.-]+)`").map(found -> found.group(1))
                .filter(key -> mappedPrefixes().anyMatch(prefix -> key.equals(prefix) || key.startsWith(prefix + ".")))
                .collect(Collectors.toCollection(TreeSet::new));

        assertThat(documented).isEqualTo(settings());
    }

    @Test
    void the_drawing_of_the_states_has_the_arrows_of_the_code() throws IOException {
        Set<String> drawn = find("docs/state-machine.md", "(?m)^    ([A-Z]+) --> ([A-Z]+): ([A-Z_]+)$")
                .map(arrow -> arrow.group(1) + " " + arrow.group(3) + " " + arrow.group(2)).collect(Collectors.toSet());

        Set<String> legal = Arrays.stream(JobTransition.values())
                .flatMap(event -> event.from().stream().map(from -> from + " " + event + " " + event.to()))
                .collect(Collectors.toSet());
        assertThat(drawn).isEqualTo(legal);
    }

    @Test
    void every_type_of_problem_is_documented() throws IOException {
        Set<String> documented = find("docs/problems.md", "`([a-z0-9-]+)`").map(found -> found.group(1))
                .collect(Collectors.toSet());

        Set<String> used = find("src/main/java/io/millrace/api/ProblemException.java",
                "new ProblemException\\(\\d+, \"([a-z-]+)\"")
                .map(found -> found.group(1)).collect(Collectors.toSet());
        assertThat(used).isNotEmpty().isSubsetOf(documented);
    }

    private static Set<String> settings() {
        Set<String> keys = new TreeSet<>();
        mappings().forEach(mapping -> mapping.getMethods().stream()
                .filter(method -> method.getModifiers().contains(com.tngtech.archunit.core.domain.JavaModifier.ABSTRACT))
                .forEach(method -> keys.add(method.isAnnotatedWith(WithParentName.class)
                        ? prefix(mapping)
                        : prefix(mapping) + "." + kebab(method.getName()))));
        return keys;
    }

    private static Stream<String> mappedPrefixes() {
        return mappings().map(DocumentationTest::prefix);
    }

    private static Stream<JavaClass> mappings() {
        return new ClassFileImporter().withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages("io.millrace").stream().filter(type -> type.isAnnotatedWith(ConfigMapping.class));
    }

    private static String prefix(JavaClass mapping) {
        return mapping.getAnnotationOfType(ConfigMapping.class).prefix();
    }

    private static String kebab(String method) {
        return method.replaceAll("([A-Z])", "-$1").toLowerCase(java.util.Locale.ROOT);
    }

    private static Stream<MatchResult> find(String file, String pattern) throws IOException {
        return Pattern.compile(pattern).matcher(Files.readString(Path.of(file))).results();
    }
}
