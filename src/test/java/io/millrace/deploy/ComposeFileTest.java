package io.millrace.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import com.fasterxml.jackson.databind.JsonNode;

/** docker-compose.yml, and proof that what it is held against is seen. */
@DisplayNameGeneration(ReplaceUnderscores.class)
class ComposeFileTest {

    private static String file() throws IOException {
        return Files.readString(Path.of("docker-compose.yml"));
    }

    @Test
    void the_compose_file_is_sound() throws IOException {
        assertThat(ComposeLint.check(file(), KnownSettings.variables())).isEmpty();
    }

    @Test
    void it_has_what_it_takes_to_run_jobs() throws IOException {
        JsonNode services = Manifests.parse(file()).get(0).path("services");
        assertThat(services.properties().stream().map(java.util.Map.Entry::getKey).toList())
                .containsExactlyInAnyOrder("postgres", "redis", "keys", "migrate", "api", "worker");
        List<String> redis = StreamSupport.stream(services.at("/redis/command").spliterator(), false).map(JsonNode::asText)
                .collect(Collectors.toList());
        assertThat(redis).containsSubsequence("--appendonly", "yes").containsSubsequence("--maxmemory-policy", "noeviction");
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', quoteCharacter = '`', value = {
            "MILLRACE_MIGRATE:; MILLRACE_MIGRATES:; there is no setting MILLRACE_MIGRATES",
            "${POSTGRES_IMAGE:-postgres:17}; postgres:17; cannot be another image",
            "${REDIS_IMAGE:-redis:7.4}; ${REDIS_IMAGE:-redis}; has no tag",
            "${REDIS_IMAGE:-redis:7.4}; ${REDIS_IMAGE:-redis:latest}; has no tag",
            "127.0.0.1:${MILLRACE_PORT:-8080}; 8080; is reachable from elsewhere",
            "read_only: true; read_only: false; may write to its image",
            "cap_drop: [ALL]; cap_drop: []; keeps capabilities",
            "stop_grace_period: 60s; stop_grace_period: 50s; is killed before it has drained",
            "\"keys:/keys:ro\"; \"key:/keys:ro\"; there is no volume key",
            "networks: [stores, outside]; networks: [stores, elsewhere]; there is no network elsewhere",
            "redis: {condition; cache: {condition; there is no service cache"})
    void the_lint_sees(String what, String instead, String problem) throws IOException {
        assertThat(file()).contains(what);
        assertThat(ComposeLint.check(file().replace(what, instead), KnownSettings.variables()))
                .anyMatch(line -> line.contains(problem));
    }

    @Test
    void a_worker_that_has_a_name_or_a_port_of_the_host_cannot_be_scaled() throws IOException {
        for (String extra : List.of("    container_name: worker\n", "    ports: [\"127.0.0.1:9000:9000\"]\n")) {
            String broken = file().replace("  worker:\n", "  worker:\n" + extra);
            assertThat(ComposeLint.check(broken, KnownSettings.variables()))
                    .anyMatch(line -> line.contains("cannot be scaled"));
        }
    }
}
