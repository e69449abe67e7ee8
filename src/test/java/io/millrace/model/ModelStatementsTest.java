package io.millrace.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

/** The model has a method for each statement and each script that moves a job, of the same name. */
@DisplayNameGeneration(ReplaceUnderscores.class)
class ModelStatementsTest {
    private static final Path RESOURCES = Path.of("src/main/resources");

    /** Statements that the model does without, and why. */
    static final Map<String, String> LEFT_OUT = Map.ofEntries(
            Map.entry("find_job", "answers a user, writes nothing"),
            Map.entry("list_jobs", "answers a user, writes nothing"),
            Map.entry("find_attempts", "answers a user, writes nothing"),
            Map.entry("list_failed_mails", "answers a user, writes nothing"),
            Map.entry("find_artifact", "answers a user, writes nothing"),
            Map.entry("find_ended_jobs", "answers a user who waits, writes nothing"),
            Map.entry("settle_complete_with_artifacts",
                    "settle_complete with more columns: the same fence, the same transition"),
            Map.entry("insert_keyed_jobs",
                    "insert_jobs after a look at keys, which no other step reads; KeyedJobsTest tries it"),
            Map.entry("find_known_queues", "counts for the metrics, writes nothing; CensusTest tries it"),
            Map.entry("count_queue", "counts for the metrics, writes nothing"),
            Map.entry("count_waiting", "counts for the metrics, writes nothing"),
            Map.entry("find_idempotency_keys", "answers a user, writes nothing"),
            Map.entry("delete_expired_keys", "moves no job"),
            Map.entry("list_audit", "answers a user, writes nothing"),
            Map.entry("delete_old_audit", "moves no job"),
            Map.entry("begin_effect", "moves no job: what handlers agree on among themselves; EffectsTest tries it"),
            Map.entry("finish_effect", "moves no job"),
            Map.entry("delete_expired_effects", "moves no job"));

    /** Scripts that the model does without, and why. */
    static final Map<String, String> SCRIPTS_LEFT_OUT = Map.of("take_tokens",
            "moves no job: it bounds how many are handed in; TokenBucketsTest tries it");

    @Test
    void every_statement_is_in_the_model_or_left_out_for_a_reason() throws IOException {
        Set<String> known = new TreeSet<>(methodsOf(ModelPostgres.class));
        LEFT_OUT.keySet().forEach(name -> known.add(camelCase(name)));

        assertThat(files("sql")).as("teach ModelPostgres the new statement, or say in LEFT_OUT why not")
                .allSatisfy(name -> assertThat(known).contains(camelCase(name)));
    }

    @Test
    void every_script_is_in_the_model_or_left_out_for_a_reason() throws IOException {
        Set<String> known = new TreeSet<>(methodsOf(ModelRedis.class));
        SCRIPTS_LEFT_OUT.keySet().forEach(name -> known.add(camelCase(name)));

        assertThat(files("lua")).as("teach ModelRedis the new script, or say in SCRIPTS_LEFT_OUT why not")
                .containsAll(SCRIPTS_LEFT_OUT.keySet()).allSatisfy(name -> assertThat(known).contains(camelCase(name)));
    }

    @Test
    void nothing_is_left_out_that_is_gone_or_in_the_model() throws IOException {
        assertThat(files("sql")).containsAll(LEFT_OUT.keySet());
        assertThat(methodsOf(ModelPostgres.class))
                .doesNotContainAnyElementsOf(LEFT_OUT.keySet().stream().map(ModelStatementsTest::camelCase).toList());
    }

    private static List<String> files(String folder) throws IOException {
        try (Stream<Path> files = Files.list(RESOURCES.resolve(folder))) {
            return files.map(file -> file.getFileName().toString().replace("." + folder, "")).sorted().toList();
        }
    }

    private static Set<String> methodsOf(Class<?> type) {
        return Arrays.stream(type.getDeclaredMethods()).map(Method::getName).collect(Collectors.toSet());
    }

    private static String camelCase(String name) {
        String[] words = name.split("_");
        return words[0] + Arrays.stream(words).skip(1).map(word -> Character.toUpperCase(word.charAt(0)) + word.substring(1))
                .collect(Collectors.joining());
    }
}
