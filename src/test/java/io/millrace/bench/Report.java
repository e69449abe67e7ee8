package io.millrace.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/** Medians of the rounds, as tables for people and as JSON for programs. */
final class Report {

    private static final String TABLE = "bench.md";
    private static final String FIGURES = "bench.json";
    /** Full pages by job: this many are 80 bytes at most. */
    private static final double WORTH_TELLING = 0.01;
    private static final int JOBS_PER_CPU_FIGURE = 10_000;

    private final Machine machine;
    private final Map<Scenario, List<Sample>> samples = new LinkedHashMap<>();
    private final Map<String, List<Times>> times = new LinkedHashMap<>();
    private final Map<Figure, List<Double>> figures = new LinkedHashMap<>();

    private record Figure(String name, String unit) {}

    Report(Stack stack) throws IOException, SQLException {
        machine = new Machine(stack);
    }

    /** So that a run that fails leaves no figures of another. */
    static void deleteOld(Path folder) throws IOException {
        Files.deleteIfExists(folder.resolve(TABLE));
        Files.deleteIfExists(folder.resolve(FIGURES));
    }

    /** A round of something that has a rate. */
    void add(Scenario scenario, Sample sample) {
        samples.computeIfAbsent(scenario, first -> new ArrayList<>()).add(sample);
    }

    /** A round of something that takes a time. */
    void add(String name, Times round) {
        times.computeIfAbsent(name, first -> new ArrayList<>()).add(round);
    }

    /** A round of any other figure. */
    void add(String name, String unit, double value) {
        figures.computeIfAbsent(new Figure(name, unit), first -> new ArrayList<>()).add(value);
    }

    void write(Path folder) throws IOException {
        Map<String, String> setting = machine.describe();
        String tables = tables(setting);
        Files.writeString(folder.resolve(TABLE), tables);
        Files.writeString(folder.resolve(FIGURES), json(setting).encodePrettily());
        System.out.println("\n" + tables);
    }

    private String tables(Map<String, String> setting) {
        StringBuilder text = new StringBuilder();
        setting.forEach((name, value) -> text.append("- ").append(name).append(": ").append(value).append('\n'));
        text.append(
                "\n| | jobs/s | min - max | ratio to its floor | api | worker | PostgreSQL | Redis | load generator | WAL B/job |\n")
                .append("|---|---|---|---|---|---|---|---|---|---|\n");
        samples.forEach((scenario, runs) -> text.append(row(scenario, runs)));
        text.append(
                "\nThe five columns behind the ratio are CPU seconds for 10,000 jobs. Medians of the rounds, here and below.\n");
        if (!times.isEmpty()) {
            text.append(
                    "\n| ms | p50 | p95 | p99 | max of all rounds | times a round | rounds |\n|---|---|---|---|---|---|---|\n");
            times.forEach((name, runs) -> text.append(row(name, runs)));
        }
        if (!figures.isEmpty()) {
            text.append("\n| | median | min - max | unit |\n|---|---|---|---|\n");
            figures.forEach((figure, values) -> text.append(row(figure, values)));
        }
        return text.toString();
    }

    private String row(Scenario scenario, List<Sample> runs) {
        Cpu cpu = cpuPer10k(runs);
        String ratios = scenario.floors().stream()
                .map(floor -> String.format(Locale.ROOT, "%.2f of %s", ratio(scenario, floor), floor.name().split(",")[0]))
                .collect(Collectors.joining("; "));
        return String.format(Locale.ROOT, "| %s | %,.0f | %,.0f - %,.0f | %s | %s | %s | %s | %s | %s | %s |%n",
                scenario.name(), median(runs, Sample::perSecond), min(runs, Sample::perSecond), max(runs, Sample::perSecond),
                ratios.isEmpty() ? "floor" : ratios, cell(cpu.api()), cell(cpu.worker()), cell(cpu.postgres()),
                cell(cpu.redis()), cell(cpu.load()), wal(runs));
    }

    private static String wal(List<Sample> runs) {
        String bytes = String.format(Locale.ROOT, "%,.0f", median(runs, Sample::walBytesPerJob));
        double fullPages = median(runs, Sample::fullPagesPerJob);
        return fullPages < WORTH_TELLING ? bytes : bytes + String.format(Locale.ROOT, " with %.2f full pages", fullPages);
    }

    private static String row(String name, List<Times> runs) {
        return String.format(Locale.ROOT, "| %s | %.2f | %.2f | %.2f | %.1f | %,d | %d |%n", name,
                median(runs, run -> run.percentileMs(50)), median(runs, run -> run.percentileMs(95)),
                median(runs, run -> run.percentileMs(99)), max(runs, Times::maxMs), runs.get(0).count(), runs.size());
    }

    private static String row(Figure figure, List<Double> values) {
        ToDoubleFunction<Double> itself = value -> value;
        return String.format(Locale.ROOT, "| %s | %s | %s | %s |%n", figure.name(), digits(median(values, itself)),
                values.size() == 1 ? "" : digits(min(values, itself)) + " - " + digits(max(values, itself)), figure.unit());
    }

    private JsonObject json(Map<String, String> setting) {
        JsonObject settings = new JsonObject();
        setting.forEach(settings::put);
        JsonArray rates = new JsonArray();
        samples.forEach((scenario, runs) -> rates.add(json(scenario, runs)));
        JsonArray durations = new JsonArray();
        times.forEach((name, runs) -> durations.add(new JsonObject().put("name", name)
                .put("rounds", new JsonArray(runs.stream().map(Report::json).toList()))));
        JsonArray others = new JsonArray();
        figures.forEach((figure, values) -> others.add(new JsonObject().put("name", figure.name()).put("unit", figure.unit())
                .put("rounds", new JsonArray(values.stream().map(Report::number).toList()))));
        return new JsonObject().put("setting", settings).put("rates", rates).put("timesMs", durations).put("figures", others);
    }

    private JsonObject json(Scenario scenario, List<Sample> runs) {
        JsonObject ratios = new JsonObject();
        scenario.floors().forEach(floor -> ratios.put(floor.name(), ratio(scenario, floor)));
        return new JsonObject().put("name", scenario.name())
                .put("jobsPerSecond", median(runs, Sample::perSecond))
                .put("ratios", ratios)
                .put("cpuSecondsPer10k", json(cpuPer10k(runs)))
                .put("walBytesPerJob", median(runs, Sample::walBytesPerJob))
                .put("rounds", new JsonArray(runs.stream().map(Report::json).toList()));
    }

    private static JsonObject json(Sample sample) {
        return new JsonObject().put("jobs", sample.jobs()).put("seconds", sample.seconds()).put("walBytes", sample.walBytes())
                .put("fullPages", sample.fullPages())
                .put("cpuSeconds", json(sample.cpu()));
    }

    private static JsonObject json(Cpu cpu) {
        return new JsonObject().put("api", number(cpu.api())).put("worker", number(cpu.worker()))
                .put("postgres", number(cpu.postgres())).put("redis", number(cpu.redis())).put("load", number(cpu.load()));
    }

    private static JsonObject json(Times round) {
        return new JsonObject().put("count", round.count()).put("p50", round.percentileMs(50))
                .put("p95", round.percentileMs(95)).put("p99", round.percentileMs(99)).put("max", round.maxMs());
    }

    /** Round by round, so that both sides of it were measured in the same minute; what has fewer rounds comes last. */
    private double ratio(Scenario scenario, Scenario floor) {
        List<Sample> runs = samples.get(scenario);
        List<Sample> floors = samples.get(floor);
        List<Double> ratios = new ArrayList<>();
        for (int i = 0; i < runs.size(); i++) {
            ratios.add(runs.get(i).perSecond() / floors.get(floors.size() - runs.size() + i).perSecond());
        }
        return median(ratios, ratio -> ratio);
    }

    private static Cpu cpuPer10k(List<Sample> runs) {
        ToDoubleFunction<Sample> scale = run -> JOBS_PER_CPU_FIGURE / (double) run.jobs();
        return new Cpu(median(runs, run -> run.cpu().api() * scale.applyAsDouble(run)),
                median(runs, run -> run.cpu().worker() * scale.applyAsDouble(run)),
                median(runs, run -> run.cpu().postgres() * scale.applyAsDouble(run)),
                median(runs, run -> run.cpu().redis() * scale.applyAsDouble(run)),
                median(runs, run -> run.cpu().load() * scale.applyAsDouble(run)));
    }

    private static <T> double median(List<T> values, ToDoubleFunction<T> figure) {
        double[] sorted = values.stream().mapToDouble(figure).sorted().toArray();
        return sorted[sorted.length / 2];
    }

    private static <T> double min(List<T> values, ToDoubleFunction<T> figure) {
        return values.stream().mapToDouble(figure).min().orElseThrow();
    }

    private static <T> double max(List<T> values, ToDoubleFunction<T> figure) {
        return values.stream().mapToDouble(figure).max().orElseThrow();
    }

    private static String cell(double seconds) {
        return Double.isNaN(seconds) ? "-" : String.format(Locale.ROOT, "%.3f", seconds);
    }

    /** As many as mean something: 12,345 or 12.3 or 1.23. */
    private static String digits(double value) {
        double size = Math.abs(value);
        return String.format(Locale.ROOT, value == Math.rint(value) || size >= 100 ? "%,.0f" : size >= 10 ? "%.1f" : "%.2f",
                value);
    }

    /** JSON knows no NaN. */
    private static Double number(double value) {
        return Double.isNaN(value) ? null : (Double) value;
    }
}
