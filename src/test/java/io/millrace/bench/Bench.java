package io.millrace.bench;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalTime;
import java.util.List;
import java.util.Timer;
import java.util.TimerTask;

/**
 * Measures Millrace and, in the same run, what the machine under it can do at all: see docs/performance.md. Rounds are
 * interleaved, so that a noisy minute hits a figure and its floor alike. Asserts that every job is there, never how fast it was.
 */
public final class Bench {

    private static final Path FOLDER = Path.of("target", "bench");
    /** On two cores the JIT compilers are at it for a minute. */
    private static final int WARM_UP_ROUNDS = 3;
    private static final int ROUNDS = 3;
    /** A round takes 20 s; on a machine so busy that it takes much longer, fewer rounds have to do. */
    private static final Duration NO_ROUND_AFTER = Duration.ofMinutes(3);
    private static final Duration LIMIT = Duration.ofMinutes(10);
    private static final int GAVE_UP = 3;

    private final Stack stack;
    private final Report report;
    private final List<String> only = List.of(System.getProperty("bench.only", "").split(","));

    private Bench(Stack stack) throws Exception {
        this.stack = stack;
        this.report = new Report(stack);
    }

    /** {@code -Dbench.only} has parts of the names of what to measure, with commas between; the floors are always measured. */
    public static void main(String[] arguments) throws Exception {
        giveUpAfter(LIMIT);
        Files.createDirectories(FOLDER);
        Report.deleteOld(FOLDER);
        try (Stack stack = Stack.start(FOLDER); Caller caller = new Caller(stack.api().api())) {
            Bench bench = new Bench(stack);
            bench.run(caller);
            bench.report.write(FOLDER);
        }
        System.exit(0); // the timer, and event loops of a run that failed half-way, hold nobody up
    }

    private void run(Caller caller) throws Exception {
        ClosedLoop http = new ClosedLoop(caller);
        Scenario append = RedisFloor.append(stack);
        Scenario read = RedisFloor.read(stack);
        PostgresFloor postgres = PostgresFloor.prepare(stack);
        Scenario insert = postgres.insert();
        Scenario update = postgres.update();
        Scenario get = new HttpFloor(stack, http, Duration.ofSeconds(3));
        // A floor comes before what is compared to it.
        runRounds(List.of(append, read, insert, update, get,
                new SinglePosts(stack, http, get, Duration.ofSeconds(4)), new BulkPosts(stack, http, insert),
                new Drain(stack, http, 10_000, update, read), new Drain(stack, http, 100_000, update, read),
                new FullPath(stack, http, get)));
        for (Part part : List.of(new Latency(stack, caller), new Lateness(stack, http), new Footprint(stack, http, 100_000),
                new Scale(stack, http))) {
            run(part);
        }
        Scenario million = new Drain(stack, http, 1_000_000, update, read);
        if (isChosen(million.name())) {
            add(million);
        }
        run(new Idle(stack)); // with that million in the table
    }

    private void runRounds(List<Scenario> all) throws Exception {
        List<Scenario> chosen = all.stream().filter(scenario -> scenario.floors().isEmpty() || isChosen(scenario.name()))
                .toList();
        long end = System.nanoTime() + NO_ROUND_AFTER.toNanos();
        for (int round = 1; round <= WARM_UP_ROUNDS + ROUNDS; round++) {
            if (round > WARM_UP_ROUNDS + 1 && System.nanoTime() - end > 0) {
                return;
            }
            for (Scenario scenario : chosen) {
                if (round <= WARM_UP_ROUNDS) {
                    tell("(warm-up) " + scenario.name(), scenario.run());
                } else {
                    add(scenario);
                }
            }
        }
    }

    private void run(Part part) throws Exception {
        if (isChosen(part.name())) {
            System.out.println(LocalTime.now().withNano(0) + " " + part.name());
            part.run(report);
        }
    }

    private void add(Scenario scenario) throws Exception {
        Sample sample = scenario.run();
        tell(scenario.name(), sample);
        report.add(scenario, sample);
    }

    private boolean isChosen(String name) {
        return only.stream().anyMatch(name::contains);
    }

    private static void tell(String what, Sample sample) {
        System.out.printf("%s %s: %,.0f/s%n", LocalTime.now().withNano(0), what, sample.perSecond());
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
