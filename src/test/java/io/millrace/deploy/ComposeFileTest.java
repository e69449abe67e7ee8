package io.millrace.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.StreamSupport;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import com.fasterxml.jackson.databind.JsonNode;

/** The files for Docker Compose, and proof that what it is held against is seen. */
@DisplayNameGeneration(ReplaceUnderscores.class)
class ComposeFileTest {

    private static final Path ROOT = Path.of("");
    private static final Path GRAFANA = Path.of("grafana");

    private static String file() throws IOException {
        return file(ROOT);
    }

    private static String file(Path folder) throws IOException {
        return Files.readString(folder.resolve("docker-compose.yml"));
    }

    private static List<String> check(String yaml, Path folder) {
        return ComposeLint.check(yaml, folder, KnownSettings.variables());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "grafana"})
    void a_compose_file_is_sound(String folder) throws IOException {
        assertThat(check(file(Path.of(folder)), Path.of(folder))).isEmpty();
    }

    @Test
    void prometheus_is_in_the_network_of_the_processes_and_not_in_that_of_the_stores() throws IOException {
        JsonNode system = Manifests.parse(file()).get(0);
        JsonNode monitoring = Manifests.parse(file(GRAFANA)).get(0);
        String network = "outside";
        assertThat(monitoring.at("/networks/millrace/name").asText()).isNotEmpty()
                .isEqualTo(system.at("/networks/" + network + "/name").asText());
        for (String service : List.of("api", "worker")) {
            assertThat(texts(system.at("/services/" + service + "/networks"))).contains(network);
        }
        assertThat(texts(system.at("/services/postgres/networks"))).doesNotContain(network);
        assertThat(texts(monitoring.at("/services/prometheus/networks"))).contains("millrace");
    }

    private static List<String> texts(JsonNode list) {
        return StreamSupport.stream(list.spliterator(), false).map(JsonNode::asText).toList();
    }

    @Test
    void it_has_what_it_takes_to_run_jobs() throws IOException {
        JsonNode services = Manifests.parse(file()).get(0).path("services");
        assertThat(services.properties().stream().map(java.util.Map.Entry::getKey).toList())
                .containsExactlyInAnyOrder("postgres", "redis", "keys", "migrate", "api", "worker");
        assertThat(texts(services.at("/redis/command"))).containsSubsequence("--appendonly", "yes")
                .containsSubsequence("--maxmemory-policy", "noeviction");
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
        assertThat(check(file().replace(what, instead), ROOT)).anyMatch(line -> line.contains(problem));
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', quoteCharacter = '`', value = {
            "${GRAFANA_IMAGE:-grafana/grafana:12.0.2}; ${GRAFANA_IMAGE:-grafana/grafana}; has no tag",
            "127.0.0.1:${GRAFANA_PORT:-3000}; ${GRAFANA_PORT:-3000}; is reachable from elsewhere",
            "./dashboards:; ./dashboard:; there is no file or folder ./dashboard",
            "/etc/grafana/dashboards:ro; /etc/grafana/dashboards; may write to ./dashboards",
            "depends_on: [prometheus]; depends_on: [prometheu]; there is no service prometheu",
            "networks: [millrace, grafana]; networks: [system, grafana]; there is no network system"})
    void the_lint_sees_in_that_of_grafana(String what, String instead, String problem) throws IOException {
        assertThat(file(GRAFANA)).contains(what);
        assertThat(check(file(GRAFANA).replace(what, instead), GRAFANA)).anyMatch(line -> line.contains(problem));
    }

    @Test
    void a_worker_that_has_a_name_or_a_port_of_the_host_cannot_be_scaled() throws IOException {
        for (String extra : List.of("    container_name: worker\n", "    ports: [\"127.0.0.1:9000:9000\"]\n")) {
            String broken = file().replace("  worker:\n", "  worker:\n" + extra);
            assertThat(check(broken, ROOT)).anyMatch(line -> line.contains("cannot be scaled"));
        }
    }
}
