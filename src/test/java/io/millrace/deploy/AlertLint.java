package io.millrace.deploy;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

import com.fasterxml.jackson.databind.JsonNode;

/** What promtool does not ask of alerts: that they name what exists, call somebody, say what to do, and were seen to fire and not to. */
final class AlertLint {
    static final String INDEX = "README.md";
    private static final Set<String> SEVERITIES = Set.of("critical", "warning");
    private static final Set<String> OWNERS = Set.of("platform", "jobs");
    /** The operator sets the base of these addresses in one rule. */
    private static final String RUNBOOK_BASE = "{{ with query \"millrace:runbooks:info\" }}{{ . | first | label \"base\" }}{{ end }}/";
    private static final List<String> SECTIONS = List.of("## What it means", "## Who is hurt", "## How to look",
            "## What to do",
            "## What not to do", "## When it clears");
    /** Of Prometheus itself. */
    private static final String UP = "up";
    /** Every worker tells the same of these. */
    private static final String CENSUS = "(?:" + String.join("|", KnownMetrics.byCensus()) + ")\\b";
    private static final Pattern ADDED_UP = Pattern.compile(
            "(?<!\\b(?:max|group) by \\([a-z, ]{0,40}\\) \\()(?<![a-z_:])" + CENSUS);
    private static final Pattern LABEL_LISTS = Pattern
            .compile("\"[^\"]*\"|\\{[^}]*}|\\[[^]]*]|\\b(?:by|without|on|ignoring|group_left|group_right) *\\([^)]*\\)");
    private static final Pattern NAME = Pattern.compile("(?<![\\w:.])[a-zA-Z_:][\\w:]*(?!\\w* *\\()");
    private static final Set<String> WORDS = Set.of("and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring",
            "group_left", "group_right");
    private static final Pattern BUCKET = Pattern.compile("\\ble=\"([^\"]+)\"");
    private static final Pattern CONSTANT = Pattern.compile("vector\\(([0-9.]+)\\)");

    /**
     * @param rules grafana/prometheus/rules/millrace.yml
     * @param kubernetes the same as an object of the Prometheus operator
     * @param cases of grafana/prometheus/tests
     * @param runbooks by the names of their files; one of them is {@link #INDEX}
     * @param metrics docs/metrics.md
     */
    record Files(String rules, String kubernetes, List<String> cases, Map<String, String> runbooks, String metrics) {}

    private final Files files;
    private final JsonNode groups;
    private final List<JsonNode> rules;
    private final List<String> problems = new ArrayList<>();

    private AlertLint(Files files) {
        this.files = files;
        this.groups = Manifests.parse(files.rules()).get(0).path("groups");
        this.rules = stream(groups).flatMap(group -> stream(group.path("rules"))).toList();
    }

    /** @return one line for each problem; empty if there are none */
    static List<String> check(Files files) {
        AlertLint lint = new AlertLint(files);
        List<JsonNode> alerts = lint.rules.stream().filter(rule -> rule.has("alert")).toList();
        alerts.forEach(lint::calls);
        alerts.forEach(lint::explains);
        alerts.forEach(lint::wasTried);
        lint.runbooks(alerts.stream().map(AlertLint::name).collect(Collectors.toSet()));
        lint.names();
        lint.rules.forEach(lint::selectors);
        lint.limits();
        lint.kubernetes();
        return lint.problems;
    }

    private void calls(JsonNode alert) {
        require(alert, SEVERITIES.contains(severity(alert)), "has the severity '" + severity(alert) + "'");
        String owner = alert.at("/labels/owner").asText();
        require(alert, OWNERS.contains(owner), "has the owner '" + owner + "'");
        require(alert, files.runbooks().get(INDEX).contains("| [" + name(alert) + "](" + name(alert) + ".md) | "
                + severity(alert) + " | " + owner + " |"),
                "is not in the list of docs/runbooks/" + INDEX + " as " + severity(alert) + ", for " + owner);
    }

    private void explains(JsonNode alert) {
        JsonNode annotations = alert.path("annotations");
        require(alert, !annotations.path("summary").asText().isBlank(), "has no summary");
        require(alert, !annotations.path("description").asText().isBlank(), "has no description");
        require(alert, annotations.path("runbook_url").asText().equals(RUNBOOK_BASE + name(alert) + ".md"),
                "its runbook_url does not lead to its runbook");
        String runbook = files.runbooks().get(name(alert) + ".md");
        require(alert, runbook != null, "has no docs/runbooks/" + name(alert) + ".md");
        if (runbook != null) {
            SECTIONS.forEach(section -> require(alert, runbook.contains("\n" + section + "\n"),
                    "its runbook has no '" + section + "'"));
        }
    }

    /** promtool compares all alerts of a name, so a case in which this severity is not expected is one in which it is silent. */
    private void wasTried(JsonNode alert) {
        List<JsonNode> cases = files.cases().stream().map(file -> Manifests.parse(file).get(0))
                .flatMap(file -> stream(file.path("tests"))).flatMap(test -> stream(test.path("alert_rule_test")))
                .filter(one -> one.path("alertname").asText().equals(name(alert))).toList();
        require(alert, cases.stream().anyMatch(one -> expects(one, severity(alert))),
                severity(alert) + " has no case in which it fires");
        require(alert, cases.stream().anyMatch(one -> !expects(one, severity(alert))),
                severity(alert) + " has no case in which it is silent");
    }

    private static boolean expects(JsonNode one, String severity) {
        return stream(one.path("exp_alerts")).anyMatch(alert -> alert.at("/exp_labels/severity").asText().equals(severity));
    }

    private void runbooks(Set<String> alerts) {
        files.runbooks().keySet().stream().filter(file -> !file.equals(INDEX))
                .filter(file -> !alerts.contains(file.replace(".md", "")))
                .forEach(file -> problems.add("docs/runbooks/" + file + " belongs to no alert"));
    }

    private void names() {
        Set<String> known = new HashSet<>(KnownMetrics.series());
        known.add(UP);
        rules.forEach(rule -> known.add(rule.path("record").asText()));
        rules.forEach(rule -> find(NAME, LABEL_LISTS.matcher(text(rule)).replaceAll(" ")).map(MatchResult::group)
                .filter(name -> !WORDS.contains(name) && !known.contains(name))
                .forEach(name -> problems.add(name(rule) + ": there is no metric " + name)));
    }

    private void selectors(JsonNode rule) {
        find(ADDED_UP, text(rule)).forEach(census -> problems.add(
                name(rule) + ": every worker tells " + census.group() + " alike: take its max"));
        find(BUCKET, text(rule)).forEach(bucket -> require(rule, files.metrics().contains("`" + bucket.group(1) + "`"),
                bucket.group(1) + " is no bucket that docs/metrics.md knows"));
    }

    private void limits() {
        for (JsonNode rule : rules) {
            String limit = rule.path("record").asText();
            if (!limit.startsWith("millrace:limit:")) {
                continue;
            }
            MatchResult constant = find(CONSTANT, text(rule)).findFirst().orElse(null);
            require(rule, constant != null, "is no constant");
            require(rule, constant == null || files.runbooks().get(INDEX).contains(
                    "| `" + limit + "` | " + constant.group(1) + " |"),
                    "is not in the list of docs/runbooks/" + INDEX + " with its value");
            require(rule, rules.stream().anyMatch(other -> other.has("alert")
                    && Pattern.compile(Pattern.quote(limit) + "\\b").matcher(text(other)).find()),
                    "limits nothing");
        }
    }

    private void kubernetes() {
        JsonNode object = Manifests.parse(files.kubernetes()).get(0);
        if (!object.at("/spec/groups").equals(groups)) {
            problems.add("prometheus-rule.yaml has other rules: grafana/prometheus/to-k8s.sh makes it");
        }
    }

    private void require(JsonNode rule, boolean holds, String otherwise) {
        if (!holds) {
            problems.add(name(rule) + ": " + otherwise);
        }
    }

    private static String text(JsonNode rule) {
        return rule.path("expr").asText();
    }

    private static String name(JsonNode rule) {
        return rule.path("alert").asText(rule.path("record").asText());
    }

    private static String severity(JsonNode alert) {
        return alert.at("/labels/severity").asText();
    }

    private static Stream<MatchResult> find(Pattern pattern, String text) {
        return pattern.matcher(text).results();
    }

    private static Stream<JsonNode> stream(JsonNode list) {
        return StreamSupport.stream(list.spliterator(), false);
    }
}
