package io.millrace.chaos;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

import io.millrace.chaos.Checker.Violation;
import io.millrace.chaos.agent.Point;

/** A run in words and figures, as Markdown. */
final class Report {
    private static final int MOST_VIOLATIONS = 50;

    private Report() {}

    static String of(Chaos.Result result) {
        List<String> lines = new ArrayList<>();
        Checker.Figures figures = result.figures();
        int faults = result.storm().occurrences().size();
        lines.add("# Chaos run, seed " + result.seed());
        lines.add("");
        lines.add("%d faults and %,d accepted jobs in %d s: **%s**.".formatted(faults, result.accepted(),
                result.time().toSeconds(), result.violations().isEmpty()
                        ? "no violation"
                        : result.violations().size() + " violations"));
        lines.add("");
        lines.add("| | |");
        lines.add("|---|---|");
        lines.add("| jobs accepted, requests without a clear answer that stored their job all the same | %,d, %,d of %,d |"
                .formatted(result.accepted(), figures.unclearExisting(), result.unclear()));
        lines.add("| requests repeated with their idempotency keys, jobs that were there already | %,d, %,d |"
                .formatted(result.repeats(), result.answeredAgain()));
        lines.add("| completed, failed, cancelled | %,d, %,d, %,d |".formatted(figures.completed(), figures.failed(),
                figures.cancelled()));
        lines.add("| attempts whose worker was lost, of them with an effect that was repeated | %,d, %,d |".formatted(
                figures.lostAttempts(), figures.rawDuplicates()));
        lines.add("| jobs given up because three workers died under them, without being to blame | " + figures.givenUpInnocent()
                + " |");
        lines.add("| requests answered with a 5xx | " + result.serverErrors() + " |");
        lines.add("| recovery of a worker after a storm: median, worst | " + recovery(result.recoveries()) + " |");
        lines.add("| 95 %% bound for a rate of failures that showed none | %.1e a job, %.1e a fault |".formatted(
                3.0 / Math.max(1, result.accepted()), 3.0 / Math.max(1, faults)));
        lines.add("");
        lines.add("Faults: " + list(result.storm().counts()));
        lines.add("");
        Map<Point, Integer> hits = result.conductor().hits();
        lines.add("Points hit: " + list(hits));
        List<Point> missed = java.util.Arrays.stream(Point.values()).filter(point -> !hits.containsKey(point)).toList();
        lines.add(missed.isEmpty() ? "" : "Points never hit: " + missed);
        lines.add("");
        lines.add("Heap in MB, threads and open files, before and after: "
                + new TreeMap<>(result.memory()).entrySet().stream().map(e -> e.getKey() + " " + e.getValue())
                        .collect(Collectors.joining("; ")));
        if (!result.violations().isEmpty()) {
            lines.add("");
            lines.add("## Violations");
            lines.add("");
            byInvariant(result.violations()).forEach((invariant, found) -> {
                lines.add("- " + invariant + ", " + found.size() + " times (" + invariant.text() + "):");
                found.stream().limit(MOST_VIOLATIONS).forEach(violation -> lines.add("  - " + violation));
            });
        }
        return String.join("\n", lines) + "\n";
    }

    static Path write(Path folder, Chaos.Result result) {
        try {
            return Files.writeString(folder.resolve("report.md"), of(result));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Map<Invariant, List<Violation>> byInvariant(List<Violation> violations) {
        return violations.stream().collect(Collectors.groupingBy(Violation::invariant, TreeMap::new, Collectors.toList()));
    }

    private static String recovery(List<Duration> recoveries) {
        List<Duration> sorted = recoveries.stream().sorted().toList();
        return sorted.isEmpty()
                ? "-"
                : "%.1f s, %.1f s".formatted(sorted.get(sorted.size() / 2).toMillis() / 1e3,
                        sorted.get(sorted.size() - 1).toMillis() / 1e3);
    }

    private static String list(Map<?, Integer> counts) {
        return counts.entrySet().stream().map(entry -> entry.getKey() + " " + entry.getValue())
                .collect(Collectors.joining(", "));
    }
}
