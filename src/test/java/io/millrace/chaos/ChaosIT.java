package io.millrace.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarFile;
import java.util.stream.Stream;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A short slice of the long run that {@code -Pchaos} is. */
@Timeout(value = 12, unit = TimeUnit.MINUTES)
@DisplayNameGeneration(ReplaceUnderscores.class)
class ChaosIT {
    private static final long SEED = Long.getLong("chaos.seed", 1);
    private static final Duration TIME = Duration.ofSeconds(75);
    private static final int JOBS_PER_SECOND = 60;
    private static final Path PACKAGE = Path.of("target", "quarkus-app");

    @Test
    void a_storm_of_faults_violates_nothing() {
        Path folder = Path.of("target", "chaos", "slice");
        Chaos.Result result;
        try (Chaos chaos = new Chaos(SEED, folder)) {
            result = chaos.run(TIME, JOBS_PER_SECOND);
        }
        Report.write(folder, result);
        assertThat(result.violations()).as(Report.of(result)).isEmpty();
        assertThat(result.storm().occurrences()).as("faults").hasSizeGreaterThan(5);
        assertThat(result.figures().completed()).as("completed jobs").isGreaterThan(500);
    }

    @Test
    void nothing_that_makes_faults_is_in_what_ships() throws IOException {
        List<String> names = new ArrayList<>();
        try (Stream<Path> jars = Files.walk(PACKAGE)) {
            for (Path jar : (Iterable<Path>) jars.filter(path -> path.toString().endsWith(".jar"))::iterator) {
                try (JarFile open = new JarFile(jar.toFile())) {
                    open.stream().forEach(entry -> names.add(entry.getName()));
                }
            }
        }
        assertThat(names).contains("io/millrace/worker/Worker.class")
                .noneMatch(name -> name.startsWith("io/millrace/chaos") || name.startsWith("io/millrace/support"));
    }
}
