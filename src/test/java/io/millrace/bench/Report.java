package io.millrace.bench;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;

/** Medians of the rounds, as a table for people and as JSON for programs. */
final class Report {

    private static final String TABLE = "bench.md";
    private static final String FIGURES = "bench.json";
    private static final int JOBS_PER_CPU_FIGURE = 10_000;

    private final Map<Scenario, List<Sample>> samples = new LinkedHashMap<>();
    private final Map<String, String> setting = new LinkedHashMap<>();

    Report(Stack stack) throws IOException, SQLException {
        setting.put("date", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        setting.put("commit", output("git", "describe", "--always", "--dirty"));
        setting.put("machine", Runtime.getRuntime().availableProcessors() + " cores, " + processor());
        setting.put("load average at start", loadAverage());
        setting.put("Java", System.getProperty("java.vm.name") + " " + System.getProperty("java.vm.version"));
        setting.put("PostgreSQL", stack.ask("show server_version") + ", fsync " + stack.ask("show fsync")
                + ", synchronous_commit " + stack.ask("show synchronous_commit") + ", shared_buffers "
                + stack.ask("show shared_buffers"));
        setting.put("Redis", stack.redisInfo("redis_version") + ", AOF everysec");
        setting.put("worker slots", Integer.toString(Stack.SLOTS));
    }

    /** So that a run that fails leaves no figures of another. */
    static void deleteOld(Path folder) throws IOException {
        Files.deleteIfExists(folder.resolve(TABLE));
        Files.deleteIfExists(folder.resolve(FIGURES));
    }

    void add(Scenario scenario, Sample sample) {
        samples.computeIfAbsent(scenario, first -> new ArrayList<>()).add(sample);
    }

    void write(Path folder) throws IOException {
        setting.put("load average at end", loadAverage());
        setting.put("rounds", Integer.toString(samples.values().iterator().next().size()));
        String table = table();
        Files.writeString(folder.resolve(TABLE), table);
        Files.writeString(folder.resolve(FIGURES), json().encodePrettily());
        System.out.println("\n" + table);
    }

    private String table() {
        StringBuilder text = new StringBuilder();
        setting.forEach((name, value) -> text.append("- ").append(name).append(": ").append(value).append('\n'));
        text.append(
                "\n| | jobs/s | min - max | ratio to its floor | api | worker | PostgreSQL | Redis | load generator | WAL B/job |\n");
        text.append("|---|---|---|---|---|---|---|---|---|---|\n");
        samples.keySet().forEach(scenario -> text.append(row(scenario)));
        text.append("\nMedians of the rounds. The five columns behind the ratio are CPU seconds for 10,000 jobs.\n");
        return text.toString();
    }

    private String row(Scenario scenario) {
        List<Sample> runs = samples.get(scenario);
        List<Double> rates = runs.stream().map(Sample::perSecond).sorted().toList();
        Cpu cpu = cpuPer10k(runs);
        String ratios = scenario.floors().stream()
                .map(floor -> String.format(Locale.ROOT, "%.2f of %s", ratio(scenario, floor), floor.name().split(",")[0]))
                .collect(Collectors.joining("; "));
        return String.format(Locale.ROOT, "| %s | %,.0f | %,.0f - %,.0f | %s | %s | %s | %s | %s | %s | %,.0f |%n",
                scenario.name(),
                median(runs, Sample::perSecond), rates.get(0), rates.get(rates.size() - 1), ratios.isEmpty() ? "floor" : ratios,
                cell(cpu.api()), cell(cpu.worker()), cell(cpu.postgres()), cell(cpu.redis()), cell(cpu.load()),
                median(runs, Sample::walBytesPerJob));
    }

    private JsonObject json() {
        JsonArray figures = new JsonArray();
        samples.forEach((scenario, runs) -> {
            Cpu cpu = cpuPer10k(runs);
            JsonObject ratios = new JsonObject();
            scenario.floors().forEach(floor -> ratios.put(floor.name(), ratio(scenario, floor)));
            figures.add(new JsonObject().put("name", scenario.name())
                    .put("jobsPerSecond", median(runs, Sample::perSecond))
                    .put("rounds", new JsonArray(runs.stream().map(Report::round).toList()))
                    .put("ratios", ratios)
                    .put("cpuSecondsPer10k", new JsonObject().put("api", number(cpu.api())).put("worker", number(cpu.worker()))
                            .put("postgres", number(cpu.postgres())).put("redis", number(cpu.redis()))
                            .put("load", number(cpu.load())))
                    .put("walBytesPerJob", median(runs, Sample::walBytesPerJob)));
        });
        JsonObject settings = new JsonObject();
        setting.forEach(settings::put);
        return new JsonObject().put("setting", settings).put("figures", figures);
    }

    private static JsonObject round(Sample sample) {
        return new JsonObject().put("jobs", sample.jobs()).put("seconds", sample.seconds()).put("walBytes", sample.walBytes());
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

    private static String cell(double seconds) {
        return Double.isNaN(seconds) ? "-" : String.format(Locale.ROOT, "%.3f", seconds);
    }

    /** JSON knows no NaN. */
    private static Double number(double value) {
        return Double.isNaN(value) ? null : (Double) value;
    }

    private static String loadAverage() {
        return String.format(Locale.ROOT, "%.1f", ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage());
    }

    private static String processor() throws IOException {
        Path info = Path.of("/proc/cpuinfo");
        if (!Files.exists(info)) {
            return System.getProperty("os.name") + " " + System.getProperty("os.arch");
        }
        return Files.readAllLines(info).stream().filter(line -> line.startsWith("model name"))
                .map(line -> line.substring(line.indexOf(':') + 1).strip()).findFirst().orElse(System.getProperty("os.arch"));
    }

    /** @return "unknown" where the program is not there, or this is no repository */
    private static String output(String... command) {
        try {
            Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
            String line = new String(process.getInputStream().readAllBytes()).strip();
            return process.waitFor(5, TimeUnit.SECONDS) && process.exitValue() == 0 ? line : "unknown";
        } catch (IOException noSuchProgram) {
            return "unknown";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "unknown";
        }
    }
}
