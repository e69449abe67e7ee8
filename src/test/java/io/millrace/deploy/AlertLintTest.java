package io.millrace.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The alerts of grafana/prometheus with their runbooks and cases, and proof that the lint sees what it looks for. */
@DisplayNameGeneration(ReplaceUnderscores.class)
class AlertLintTest {
    private static final Path PROMETHEUS = Path.of("grafana/prometheus");
    private static final String NOTHING = "";

    private static AlertLint.Files files() throws IOException {
        return new AlertLint.Files(Files.readString(PROMETHEUS.resolve("rules/millrace.yml")),
                Files.readString(Path.of("deploy/k8s/components/monitoring/prometheus-rule.yaml")),
                List.copyOf(folder(PROMETHEUS.resolve("tests")).values()), folder(Path.of("docs/runbooks")),
                Files.readString(Path.of("docs/metrics.md")));
    }

    private static Map<String, String> folder(Path folder) throws IOException {
        Map<String, String> texts = new TreeMap<>();
        try (Stream<Path> files = Files.list(folder)) {
            files.forEach(file -> texts.put(file.getFileName().toString(), read(file)));
        }
        return texts;
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void every_alert_is_sound() throws IOException {
        assertThat(AlertLint.check(files())).isEmpty();
    }

    /** Breaks the rules, of Prometheus and of the operator alike, and expects to be told of it. */
    @ParameterizedTest
    @CsvSource(delimiter = ';', quoteCharacter = '`', value = {
            "severity: critical; severity: page; has the severity 'page'",
            "owner: jobs; owner: nobody; has the owner 'nobody'",
            "owner: jobs; owner: platform; MillraceFailureBurn: is not in the list of docs/runbooks/README.md as critical, for platform",
            "summary: '{{ $labels.job }} has no worker'; summary: ''; MillraceNoWorker: has no summary",
            "description: >-; text: >-; has no description",
            "/MillraceNoWorker.md; /NoWorker.md; MillraceNoWorker: its runbook_url does not lead to its runbook",
            "alert: MillraceNoWorker; alert: MillraceNobody; MillraceNobody: has no docs/runbooks/MillraceNobody.md",
            "alert: MillraceNoWorker; alert: MillraceNobody; MillraceNobody: critical has no case in which it fires",
            "alert: MillraceNoWorker; alert: MillraceNobody; docs/runbooks/MillraceNoWorker.md belongs to no alert",
            "(millrace_worker_slots); (millrace_workers_slots); there is no metric millrace_workers_slots",
            "rate(http_server_requests_seconds_count; rate(http_requests_total; there is no metric http_requests_total",
            "> scalar(millrace:limit:lost_jobs); > scalar(millrace:limit:lost); there is no metric millrace:limit:lost",
            "> scalar(millrace:limit:lost_jobs); > 0; millrace:limit:lost_jobs: limits nothing",
            "max by (job, queue) (millrace_dead_letters); sum by (job, queue) (millrace_dead_letters); tells millrace_dead_letters alike",
            "max by (job, queue) (millrace_pending_entries); millrace_pending_entries; tells millrace_pending_entries alike",
            "le=\"2.5\"; le=\"3.0\"; 3.0 is no bucket",
            "vector(300); vector(301); is not in the list of docs/runbooks/README.md with its value",
            "vector(300); millrace_in_flight; millrace:limit:oldest_ready_seconds: is no constant"})
    void the_lint_sees_in_the_rules(String what, String instead, String problem) throws IOException {
        AlertLint.Files sound = files();
        assertThat(sound.rules()).contains(what);
        String replacement = instead == null ? NOTHING : instead;
        assertSees(problem, new AlertLint.Files(sound.rules().replace(what, replacement),
                sound.kubernetes().replace(what, replacement), sound.cases(), sound.runbooks(), sound.metrics()));
    }

    @Test
    void the_lint_sees_other_rules_for_kubernetes() throws IOException {
        AlertLint.Files sound = files();
        assertSees("prometheus-rule.yaml has other rules", new AlertLint.Files(sound.rules(),
                sound.kubernetes().replace("for: 2m", "for: 3m"), sound.cases(), sound.runbooks(), sound.metrics()));
    }

    @Test
    void the_lint_sees_a_missing_case() throws IOException {
        AlertLint.Files sound = files();
        // Of the two severities of this alert, one is expected no more; a silent case of it remains.
        assertSees("MillraceFailureBurn: warning has no case in which it fires", withCases(sound,
                sound.cases().stream().map(file -> file.replace("severity: warning", "severity: none")).toList()));
        assertSees("MillraceNoWorker: critical has no case in which it is silent", withCases(sound, sound.cases().stream()
                .map(file -> file.replaceAll("alertname: MillraceNoWorker(\n +eval_time: .*\n +exp_alerts: \\[])",
                        "alertname: Nobody$1"))
                .toList()));
    }

    private static AlertLint.Files withCases(AlertLint.Files sound, List<String> cases) {
        return new AlertLint.Files(sound.rules(), sound.kubernetes(), cases, sound.runbooks(), sound.metrics());
    }

    @Test
    void the_lint_sees_an_unfinished_runbook() throws IOException {
        AlertLint.Files sound = files();
        Map<String, String> runbooks = new TreeMap<>(sound.runbooks());
        runbooks.computeIfPresent("MillraceNoWorker.md", (name, text) -> text.replace("## What not to do", "## Notes"));
        assertSees("MillraceNoWorker: its runbook has no '## What not to do'",
                new AlertLint.Files(sound.rules(), sound.kubernetes(), sound.cases(), runbooks, sound.metrics()));
    }

    private static void assertSees(String problem, AlertLint.Files broken) {
        assertThat(AlertLint.check(broken)).anyMatch(line -> line.contains(problem));
    }

    /** Or every worker that is killed would be an alert, though others take its jobs over as they should. */
    @Test
    void a_pending_entry_may_be_silent_for_as_long_as_a_repair_takes() throws IOException {
        Matcher limit = Pattern.compile("record: millrace:limit:pending_idle_seconds\n +expr: vector\\((\\d+)\\)")
                .matcher(files().rules());
        assertThat(limit.find()).isTrue();
        Duration repair = setting("maintenance.reclaim-idle").plus(setting("maintenance.reclaim-every"))
                .plus(setting("maintenance.census-every"));
        assertThat(Duration.ofSeconds(Long.parseLong(limit.group(1)))).isGreaterThanOrEqualTo(repair)
                .isGreaterThan(setting("lease.duration"));
    }

    /** @return the default that docs/settings.md names */
    private static Duration setting(String key) throws IOException {
        Matcher row = Pattern.compile("(?m)^\\| `millrace\\." + Pattern.quote(key) + "` \\| `(\\d+s)` \\|")
                .matcher(Files.readString(Path.of("docs/settings.md")));
        assertThat(row.find()).as(key).isTrue();
        return Duration.parse("PT" + row.group(1));
    }

    /** `le` of a rule is looked up in docs/metrics.md. */
    @Test
    void the_documented_buckets_are_those_of_the_code() throws IOException {
        String code = Files.readString(Path.of("src/main/java/io/millrace/observe/Meters.java"));
        Matcher declared = Pattern.compile("BUCKETS = List\\s+\\.of\\(([\\d_,\\s]+)\\)").matcher(code);
        assertThat(declared.find()).isTrue();
        List<String> buckets = new ArrayList<>();
        for (String ms : declared.group(1).split(",")) {
            buckets.add("`" + Integer.parseInt(ms.strip().replace("_", "")) / 1_000.0 + "`");
        }
        assertThat(Files.readString(Path.of("docs/metrics.md")).replace("\n  ", " ")).contains(String.join(", ", buckets));
    }
}
