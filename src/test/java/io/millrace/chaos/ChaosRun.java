package io.millrace.chaos;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;

import io.millrace.chaos.agent.Point;

/**
 * The long run, by {@code ./mvnw verify -Pchaos}: first how long recovery takes, then {@code -Dchaos.minutes=20} of storm under
 * {@code -Dchaos.rate=110} jobs a second; {@code -Dchaos.seed=} a number repeats the jobs and faults of a run. Ends with 1 if
 * anything was violated or missed.
 */
final class ChaosRun {
    /** A run this long comes by every point. */
    private static final Duration LONG = Duration.ofMinutes(15);

    private ChaosRun() {}

    public static void main(String[] arguments) {
        long seed = Long.getLong("chaos.seed", System.currentTimeMillis());
        Duration time = Duration.ofMinutes(Integer.getInteger("chaos.minutes", 20));
        Path folder = Path.of("target", "chaos", Long.toString(seed));
        System.out.printf("seed %d, repeat with -Dchaos.seed=%d; %s%n", seed, seed, folder.toAbsolutePath());
        boolean isWell = !Boolean.parseBoolean(System.getProperty("chaos.recovery", "true")) || recovers(folder);
        isWell &= time.isZero() || survives(seed, folder, time);
        System.exit(isWell ? 0 : 1);
    }

    private static boolean recovers(Path folder) {
        List<Recovery.Measured> measured = new Recovery(folder).measure();
        System.out.println(Recovery.table(measured));
        return measured.stream().allMatch(Recovery.Measured::isMet);
    }

    private static boolean survives(long seed, Path folder, Duration time) {
        Chaos.Result result;
        try (Chaos chaos = new Chaos(seed, folder)) {
            result = chaos.run(time, Integer.getInteger("chaos.rate", 110));
        }
        Report.write(folder, result);
        System.out.println(Report.of(result));
        boolean isComplete = time.compareTo(LONG) < 0
                || result.conductor().hits().keySet().containsAll(Arrays.asList(Point.values()));
        return result.violations().isEmpty() && isComplete;
    }
}
