package io.millrace.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** The dashboards of grafana/, and proof that the lint sees what it looks for. grafana/check.sh asks a live Prometheus. */
@DisplayNameGeneration(ReplaceUnderscores.class)
class DashboardLintTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path FOLDER = Path.of("grafana/dashboards");

    private static List<JsonNode> dashboards() throws IOException {
        List<JsonNode> dashboards = new ArrayList<>();
        try (Stream<Path> files = Files.list(FOLDER)) {
            for (Path file : files.filter(path -> path.toString().endsWith(".json")).sorted().toList()) {
                dashboards.add(JSON.readTree(file.toFile()));
            }
        }
        return dashboards;
    }

    @Test
    void the_dashboards_are_sound() throws IOException {
        assertThat(dashboards()).hasSize(3);
        assertThat(DashboardLint.check(dashboards())).isEmpty();
    }

    @Test
    void every_metric_of_ours_is_on_one_of_them() throws IOException {
        TreeSet<String> shown = new TreeSet<>();
        dashboards().forEach(dashboard -> DashboardLint.metrics(dashboard)
                .forEach(name -> shown.add(name.replaceFirst("_seconds_(bucket|count|sum|max)$", "_seconds"))));
        assertThat(shown).containsAll(KnownMetrics.ours());
    }

    /**
     * Breaks one thing of the overview, and expects to be told of it.
     *
     * @param value what is put there, as JSON; nothing removes it
     */
    @ParameterizedTest
    @CsvSource(delimiter = ';', quoteCharacter = '`', value = {
            "/id; 7; its id is not null",
            "/uid; ; a uid is missing, or there twice",
            "/uid; \"millrace-queue\"; a uid is missing, or there twice",
            "/links/0/url; \"/d/queue\"; there is no dashboard behind /d/queue",
            "/panels/2/id; 1; panels lack an id, or share one",
            "/panels/2/id; ; panels lack an id, or share one",
            "/templating/list/0/name; \"source\"; there is no variable datasource",
            "/templating/list/1/datasource/uid; \"prometheus\"; its data source is not the variable",
            "/templating/list/2/query/query; \"label_values(up{job=~\\\"$work\\\"}, queue)\"; there is no variable work",
            "/panels/1/title; \"\"; it has no title",
            "/panels/1/description; ; it has no description",
            "/panels/1/fieldConfig/defaults/unit; ; it has no unit",
            "/panels/1/datasource/uid; \"P1809F7CD0C75ACF3\"; its data source is not the variable",
            "/panels/1/targets/0/datasource; ; its data source is not the variable",
            "/panels/1/targets; []; it has no query",
            "/panels/8/targets/1/refId; \"A\"; or two of one name",
            "/panels/1/targets/0/expr; \"max(millrace_oldest_ready_age_seconds{queue=\\\"x\\\"})\"; nobody exports millrace_oldest_ready_age_seconds",
            "/panels/1/targets/0/expr; \"max(jvm_threads_live)\"; nobody exports jvm_threads_live",
            "/panels/1/targets/0/expr; \"sum(millrace_in_flight{queue=~\\\"$queues\\\"})\"; there is no variable queues",
            "/panels/1/targets/0/expr; \"sum(millrace_dead_letters)\"; every worker tells millrace_dead_letters: take max",
            "/panels/1/targets/0/expr; \"sum by (queue) (millrace_queue_depth{state=\\\"ready\\\"})\"; every worker tells millrace_queue_depth: take max",
            "/panels/1/targets/0/expr; \"sum(rate(millrace_in_flight[1m]))\"; millrace_in_flight is no counter",
            "/panels/1/targets/0/legendFormat; \"{{queue}}\"; the legend names queue",
            "/panels/1/gridPos/x; 21; it is not within the 24 columns",
            "/panels/1/gridPos/h; 0; it is not within the 24 columns",
            "/panels/2/gridPos/x; 3; it overlaps Ready jobs",
            "/panels/7/gridPos/y; 4; it overlaps Traffic"})
    void the_lint_sees(String pointer, String value, String problem) throws IOException {
        List<JsonNode> dashboards = dashboards();
        change(dashboards.get(0), JsonPointer.compile(pointer), value);
        assertThat(DashboardLint.check(dashboards)).anyMatch(line -> line.contains(problem));
    }

    private static void change(JsonNode object, JsonPointer place, String value) throws IOException {
        JsonNode parent = object.at(place.head());
        if (value == null) {
            assertThat(((ObjectNode) parent).remove(place.last().getMatchingProperty())).isNotNull();
        } else if (parent instanceof ArrayNode list) {
            list.set(place.last().getMatchingIndex(), JSON.readTree(value));
        } else {
            ((ObjectNode) parent).set(place.last().getMatchingProperty(), JSON.readTree(value));
        }
    }
}
