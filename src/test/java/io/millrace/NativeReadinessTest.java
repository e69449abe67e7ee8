package io.millrace;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.List;
import java.util.Properties;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;

import io.millrace.job.JobIds;

/** What a native image would do wrong without a word, held against the code, because it is not built with every build. */
@DisplayNameGeneration(ReplaceUnderscores.class)
class NativeReadinessTest {
    /** Static fields are filled when the image is built: every process would have the same chance and the clock of another machine. */
    private static final Set<String> CHANCE = Stream.of(SecureRandom.class, Random.class, SplittableRandom.class, JobIds.class)
            .map(Class::getName).collect(Collectors.toSet());
    private static final Set<String> CLOCKS_AND_SECRETS = Set.of("nanoTime", "currentTimeMillis", "hashNow", "getenv");

    @Test
    void what_depends_on_chance_or_a_clock_is_set_up_when_the_image_starts() throws IOException {
        Set<String> found = new TreeSet<>();
        new ClassFileImporter().withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS).importPackages("io.millrace")
                .stream().filter(type -> !type.getPackageName().equals("io.millrace.local")) // not in a native image
                .filter(NativeReadinessTest::dependsOnTheMoment).forEach(type -> found.add(type.getName()));

        assertThat(found).isNotEmpty();
        assertThat(setUpAtStart()).containsAll(found);
    }

    @Test
    void every_class_that_is_set_up_when_the_image_starts_exists() throws IOException {
        assertThat(setUpAtStart()).filteredOn(name -> name.startsWith("io.millrace"))
                .allSatisfy(name -> assertThat(Class.forName(name, false, getClass().getClassLoader())).isNotNull());
    }

    private static boolean dependsOnTheMoment(JavaClass type) {
        return type.getStaticInitializer().map(JavaCodeUnit::getCallsFromSelf).orElse(Set.of()).stream()
                .anyMatch(call -> CLOCKS_AND_SECRETS.contains(call.getName())
                        || call.getTargetOwner().getName().equals(Instant.class.getName()) && call.getName().equals("now"))
                || type.getStaticInitializer().map(JavaCodeUnit::getConstructorCallsFromSelf).orElse(Set.of()).stream()
                        .anyMatch(call -> CHANCE.contains(call.getTargetOwner().getName()));
    }

    private static List<String> setUpAtStart() throws IOException {
        Properties properties = new Properties();
        try (Reader in = Files.newBufferedReader(Path.of("src/main/resources/application.properties"))) {
            properties.load(in);
        }
        return List.of(properties.getProperty("quarkus.native.additional-build-args")
                .replace("--initialize-at-run-time=", "").replace("\\", "").split(","));
    }
}
