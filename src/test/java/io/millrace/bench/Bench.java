package io.millrace.bench;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalTime;
import java.util.List;
import java.util.Timer;
import java.util.TimerTask;
import java.util.stream.Stream;

/**
 * Measures Millrace and, in the same run, what the machine under it can do at all: see docs/performance.md. Rounds are
 * interleaved, so that a noisy minute hits a figure and its floor alike. Asserts that every job is there, never how fast it was.
 */
public final class Bench {

    private static final Path FOLDER = Path.of("target", "bench");
    /** On two cores the JIT compilers are at it for a minute. */
    private static final int WARM_UP_ROUNDS = 3;
    private static final int ROUNDS = 3;
    /** A round takes half a minute; on a machine so busy that it takes much longer, fewer rounds have to do. */
    private static final Duration NO_ROUND_AFTER = Duration.ofMinutes(4);
    private static final Duration LIMIT = Duration.ofMinutes(6);
    private static final int GAVE_UP = 3;

    private Bench() {}

    public static void main(String[] arguments) throws Exception {
        giveUpAfter(LIMIT);
        Files.createDirectories(FOLDER);
        Report.deleteOld(FOLDER);
        try (Stack stack = Stack.start(FOLDER); ClosedLoop http = new ClosedLoop(stack.api())) {
            Report report = new Report(stack);
            List<Scenario> scenarios = chosen(scenarios(stack, http));
            long end = System.nanoTime() + NO_ROUND_AFTER.toNanos();
            for (int round = 1; round <= WARM_UP_ROUNDS + ROUNDS; round++) {
                if (round > WARM_UP_ROUNDS + 1 && System.nanoTime() - end > 0) {
                    break;
                }
                for (Scenario scenario : scenarios) {
                    Sample sample = scenario.run();
                    boolean isWarmUp = round <= WARM_UP_ROUNDS;
                    System.out.printf("%s %-9s %s: %,.0f/s%n", LocalTime.now().withNano(0),
                            isWarmUp ? "(warm-up)" : "round " + (round - WARM_UP_ROUNDS), scenario.name(), sample.perSecond());
                    if (!isWarmUp) {
                        report.add(scenario, sample);
                    }
                }
            }
            report.write(FOLDER);
        }
        System.exit(0); // the timer, and event loops of a run that failed half-way, hold nobody up
    }

    /** {@code -Dbench.only} has parts of the names of scenarios, with commas between; the floors are always measured. */
    private static List<Scenario> chosen(List<Scenario> all) {
        String[] only = System.getProperty("bench.only", "").split(",");
        return all.stream().filter(s -> s.floors().isEmpty() || Stream.of(only).anyMatch(s.name()::contains)).toList();
    }

    /** A floor comes before what is compared to it. */
    private static List<Scenario> scenarios(Stack stack, ClosedLoop http) throws Exception {
        Scenario append = RedisFloor.append(stack);
        Scenario read = RedisFloor.read(stack);
        PostgresFloor postgres = PostgresFloor.prepare(stack);
        Scenario insert = postgres.insert();
        Scenario update = postgres.update();
        Scenario get = new HttpFloor(stack, http);
        return List.of(append, read, insert, update, get,
                new SinglePosts(stack, http, get), new BulkPosts(stack, http, insert),
                new Drain(stack, http, update, read), new FullPath(stack, http, get));
    }

    /** The hook of {@link Stack} stops what was started. */
    private static void giveUpAfter(Duration limit) {
        new Timer("limit", true).schedule(new TimerTask() {
            @Override
            public void run() {
                System.err.println("gave up: the run took longer than " + limit);
                System.exit(GAVE_UP);
            }
        }, limit.toMillis());
    }
}
