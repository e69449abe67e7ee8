package io.millrace.deploy;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

import com.fasterxml.jackson.databind.JsonNode;

/** What makes a dashboard of Grafana fit for others: it can be imported anywhere, says what it shows, and asks for what is there. */
final class DashboardLint {
    private static final int COLUMNS = 24;
    private static final String DATA_SOURCE = "${datasource}";
    /** Variables of Grafana itself. */
    private static final Set<String> BUILT_IN = Set.of("__rate_interval", "__interval", "__range", "__all");
    private static final Set<String> WORDS = Set.of("and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring",
            "group_left", "group_right");

    private static final Pattern STRING = Pattern.compile("\"(\\\\.|[^\"\\\\])*\"");
    private static final Pattern SELECTOR_OR_RANGE = Pattern.compile("\\{[^}]*}|\\[[^]]*]");
    private static final Pattern LABELS = Pattern
            .compile("\\b(?:by|without|on|ignoring|group_left|group_right)\\s*\\(([^)]*)\\)");
    private static final Pattern NUMBER = Pattern.compile("\\b[0-9][0-9.]*([eE][-+]?[0-9]+)?\\b");
    private static final Pattern NAME = Pattern.compile("[a-zA-Z_:][a-zA-Z0-9_:]*\\b(?!\\s*\\()");
    private static final Pattern VARIABLE = Pattern.compile("\\$\\{?(\\w+)");
    private static final Pattern IN_LEGEND = Pattern.compile("\\{\\{\\s*(\\w+)\\s*}}");
    private static final Pattern OVER_TIME = Pattern.compile("\\b(rate|increase)\\(([a-z_]+)");

    private final JsonNode dashboard;
    private final Set<String> uids;
    private final List<String> problems = new ArrayList<>();

    private DashboardLint(JsonNode dashboard, Set<String> uids) {
        this.dashboard = dashboard;
        this.uids = uids;
    }

    /** @return one line for each problem; empty if there are none */
    static List<String> check(List<JsonNode> dashboards) {
        List<String> uids = dashboards.stream().map(dashboard -> dashboard.path("uid").asText()).toList();
        List<String> problems = new ArrayList<>();
        if (new HashSet<>(uids).size() < uids.size() || uids.contains("")) {
            problems.add("a uid is missing, or there twice: " + uids);
        }
        for (JsonNode dashboard : dashboards) {
            DashboardLint lint = new DashboardLint(dashboard, Set.copyOf(uids));
            lint.whole();
            lint.panels().forEach(lint::panel);
            lint.places();
            problems.addAll(lint.problems);
        }
        return problems;
    }

    /** Names of the metrics that a dashboard asks for. */
    static Set<String> metrics(JsonNode dashboard) {
        return new DashboardLint(dashboard, Set.of()).panels().flatMap(panel -> stream(panel.path("targets")))
                .flatMap(target -> metrics(target.path("expr").asText())).collect(Collectors.toUnmodifiableSet());
    }

    private void whole() {
        String title = dashboard.path("title").asText();
        require(title, dashboard.path("id").isNull(), "its id is not null: an import would replace what has it");
        dashboard.path("links")
                .forEach(link -> require(title, uids.contains(link.path("url").asText().replaceFirst("^/d/", "")),
                        "there is no dashboard behind " + link.path("url").asText()));
        List<Integer> ids = stream(dashboard.path("panels")).map(panel -> panel.path("id").asInt()).toList();
        require(title, new HashSet<>(ids).size() == ids.size() && !ids.contains(0), "panels lack an id, or share one: " + ids);
        require(title, stream(dashboard.at("/templating/list")).anyMatch(
                variable -> variable.path("type").asText().equals("datasource")
                        && variable.path("name").asText().equals("datasource")),
                "there is no variable datasource");
        stream(dashboard.at("/templating/list")).filter(variable -> variable.path("type").asText().equals("query"))
                .forEach(variable -> {
                    String name = variable.path("name").asText();
                    source(name, variable.path("datasource"));
                    used(name, variable.at("/query/query").asText());
                });
    }

    /** All but the headings of rows. */
    private Stream<JsonNode> panels() {
        return stream(dashboard.path("panels")).filter(panel -> !panel.path("type").asText().equals("row"));
    }

    private void panel(JsonNode panel) {
        String title = panel.path("title").asText();
        require("panel " + panel.path("id"), !title.isBlank(), "it has no title");
        require(title, panel.path("description").asText().length() > title.length(), "it has no description");
        require(title, !panel.at("/fieldConfig/defaults/unit").asText().isBlank(), "it has no unit");
        source(title, panel.path("datasource"));
        List<String> names = stream(panel.path("targets")).map(target -> target.path("refId").asText()).toList();
        require(title, !names.isEmpty() && new HashSet<>(names).size() == names.size(),
                "it has no query, or two of one name: " + names);
        panel.path("targets").forEach(target -> target(title, target));
    }

    private void source(String title, JsonNode source) {
        require(title, source.path("uid").asText().equals(DATA_SOURCE) && source.path("type").asText().equals("prometheus"),
                "its data source is not the variable: " + source);
    }

    private void target(String title, JsonNode target) {
        String expression = target.path("expr").asText();
        source(title, target.path("datasource"));
        metrics(expression).filter(name -> !KnownMetrics.series().contains(name))
                .forEach(name -> require(title, false, "nobody exports " + name));
        used(title, expression);
        Set<String> grouped = LABELS.matcher(expression).results().flatMap(found -> Stream.of(found.group(1).split(",")))
                .map(String::strip).collect(Collectors.toSet());
        IN_LEGEND.matcher(target.path("legendFormat").asText()).results().map(found -> found.group(1)).forEach(
                label -> require(title, grouped.contains(label),
                        "the legend names " + label + ", by which nothing is grouped"));
        KnownMetrics.byCensus().stream().filter(metrics(expression).collect(Collectors.toSet())::contains)
                .forEach(name -> require(title, isLargest(expression, name),
                        "every worker tells " + name + ": take max, no sum"));
        OVER_TIME.matcher(expression).results().filter(found -> !found.group(2).matches(".*_(total|count|sum|bucket)"))
                .forEach(found -> require(title, false, found.group(2) + " is no counter: it has no " + found.group(1)));
    }

    private static boolean isLargest(String expression, String name) {
        int all = count(expression, "\\b" + name + "\\b");
        return count(expression, "\\bmax( by \\([^)]*\\) )?\\(" + name + "\\b") == all;
    }

    private static int count(String text, String pattern) {
        return (int) Pattern.compile(pattern).matcher(text).results().count();
    }

    private void used(String title, String text) {
        Set<String> defined = stream(dashboard.at("/templating/list")).map(variable -> variable.path("name").asText())
                .collect(Collectors.toSet());
        VARIABLE.matcher(text).results().map((MatchResult found) -> found.group(1))
                .filter(name -> !BUILT_IN.contains(name) && !defined.contains(name))
                .forEach(name -> require(title, false, "there is no variable " + name));
    }

    /** What is left of an expression without strings, selectors, ranges, lists of labels, numbers and functions. */
    private static Stream<String> metrics(String expression) {
        String bare = expression;
        for (Pattern other : List.of(STRING, SELECTOR_OR_RANGE, LABELS, NUMBER)) {
            bare = other.matcher(bare).replaceAll(" ");
        }
        return NAME.matcher(bare).results().map(MatchResult::group).filter(name -> !WORDS.contains(name)).toList().stream();
    }

    private void places() {
        List<JsonNode> all = stream(dashboard.path("panels")).toList();
        for (int i = 0; i < all.size(); i++) {
            JsonNode place = all.get(i).path("gridPos");
            String title = all.get(i).path("title").asText();
            require(title, number(place, "w") > 0 && number(place, "h") > 0 && number(place, "x") >= 0
                    && number(place, "x") + number(place, "w") <= COLUMNS, "it is not within the " + COLUMNS + " columns");
            for (JsonNode other : all.subList(i + 1, all.size())) {
                require(title, !overlap(place, other.path("gridPos")), "it overlaps " + other.path("title").asText());
            }
        }
    }

    private static boolean overlap(JsonNode one, JsonNode other) {
        return number(one, "x") < number(other, "x") + number(other, "w")
                && number(other, "x") < number(one, "x") + number(one, "w")
                && number(one, "y") < number(other, "y") + number(other, "h")
                && number(other, "y") < number(one, "y") + number(one, "h");
    }

    private static int number(JsonNode place, String name) {
        return place.path(name).asInt(-1);
    }

    private static Stream<JsonNode> stream(JsonNode list) {
        return StreamSupport.stream(list.spliterator(), false);
    }

    private void require(String where, boolean holds, String otherwise) {
        if (!holds) {
            problems.add(dashboard.path("uid").asText() + ", " + where + ": " + otherwise);
        }
    }
}
