package io.millrace.chaos;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

import io.millrace.chaos.agent.Point;

/**
 * The long run, by {@code ./mvnw verify -Pchaos}: {@code -Dchaos.minutes=20}, {@code -Dchaos.rate=110} jobs a second,
 * {@code -Dchaos.seed=} a number to repeat a run's jobs and faults. Ends with 1 if anything was violated.
 */
final class ChaosRun {
    private ChaosRun() {}

    public static void main(String[] arguments) {
        long seed = Long.getLong("chaos.seed", System.currentTimeMillis());
        Duration time = Duration.ofMinutes(Integer.getInteger("chaos.minutes", 20));
        Path folder = Path.of("target", "chaos", Long.toString(seed));
        System.out.printf("seed %d, repeat with -Dchaos.seed=%d; %s%n", seed, seed, folder.toAbsolutePath());
        Chaos.Result result;
        try (Chaos chaos = new Chaos(seed, folder)) {
            result = chaos.run(time, Integer.getInteger("chaos.rate", 110));
        }
        Report.write(folder, result);
        System.out.println(Report.of(result));
        List<Point> missed = List.of(Point.values()).stream().filter(point -> !result.conductor().hits().containsKey(point))
                .toList();
        System.exit(result.violations().isEmpty() && (missed.isEmpty() || time.toMinutes() < 10) ? 0 : 1);
    }
}
