package io.millrace.chaos;

import static io.millrace.chaos.agent.Mutation.NO_LOADER;
import static io.millrace.chaos.agent.Mutation.NO_REAPER;
import static io.millrace.chaos.agent.Mutation.NO_RECONCILER;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Collectors;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import io.millrace.chaos.Checker.Violation;
import io.millrace.chaos.agent.Action;
import io.millrace.chaos.agent.Mutation;
import io.millrace.chaos.agent.Point;
import io.millrace.local.FaultyServers;

/**
 * The checker can see: each mutation of the protocol is reported with the right invariant, and the protocol as it is passes the
 * same trial.
 */
@Timeout(value = 15, unit = TimeUnit.MINUTES)
@DisplayNameGeneration(ReplaceUnderscores.class)
class MutantsIT {
    private static final int AT_ONCE = 3;
    private static final Duration LIMIT = Duration.ofSeconds(40);
    private static final String ONE = "one";
    private static final String OTHER = "other";
    private static final String STREAM = "{default}:normal";

    /** A mutation, what it violates, and the circumstances that bring it to light. */
    enum Mutant {
        SETTLE_WITHOUT_FENCE(Invariant.I2, Set.of(Mutation.SETTLE_WITHOUT_FENCE), Set.of(), MutantsIT::recordLate),
        REAP_WITHOUT_COMPARE(Invariant.I2, Set.of(Mutation.REAP_WITHOUT_COMPARE), Set.of(), MutantsIT::settleWhileItIsReaped),
        ACKNOWLEDGE_BEFORE_SETTLE(Invariant.I1, Set.of(Mutation.ACKNOWLEDGE_BEFORE_SETTLE), Set.of(NO_REAPER),
                trial -> dieAt(trial, Point.BEFORE_SETTLE)),
        GUARD_KEY_BEFORE_EFFECT(Invariant.I1, Set.of(Mutation.GUARD_KEY_BEFORE_EFFECT), Set.of(),
                trial -> dieAt(trial, Point.BEFORE_EFFECT)),
        GROUP_AT_END(Invariant.I1, Set.of(Mutation.GROUP_AT_END), Set.of(NO_RECONCILER), MutantsIT::appendBeforeTheGroup),
        PROMOTE_REMOVES_FIRST(Invariant.I1, Set.of(Mutation.PROMOTE_REMOVES_FIRST), Set.of(NO_RECONCILER),
                MutantsIT::promoteToNothing),
        RETRY_IN_TWO_STEPS(Invariant.I1, Set.of(Mutation.RETRY_IN_TWO_STEPS), Set.of(NO_RECONCILER, NO_LOADER),
                MutantsIT::failOnce),
        NO_RECONCILER_AFTER_A_LOST_APPEND(Invariant.I1, Set.of(NO_RECONCILER), Set.of(), MutantsIT::dieBeforeTheAppend),
        CLAIM_EARLY(Invariant.I6, Set.of(Mutation.CLAIM_EARLY), Set.of(), MutantsIT::deliverEarly),
        CLAIM_HELD(Invariant.I5, Set.of(Mutation.CLAIM_HELD), Set.of(), MutantsIT::deliverTwice),
        RETRY_WITHOUT_COUNT(Invariant.I7, Set.of(Mutation.RETRY_WITHOUT_COUNT), Set.of(), MutantsIT::failOnce),
        DEAD_LETTER_WITHOUT_ATTEMPT(Invariant.I7, Set.of(Mutation.DEAD_LETTER_WITHOUT_ATTEMPT), Set.of(),
                MutantsIT::failForGood);

        private final Invariant violated;
        private final Set<Mutation> mutations;
        private final Set<Mutation> circumstances;
        private final Consumer<Trial> script;

        /** @param circumstances what is left out in the control, too: what would mend the damage */
        Mutant(Invariant violated, Set<Mutation> mutations, Set<Mutation> circumstances, Consumer<Trial> script) {
            this.violated = violated;
            this.mutations = mutations;
            this.circumstances = circumstances;
            this.script = script;
        }
    }

    private static final Path FOLDER = Path.of("target", "chaos", "mutants");
    private static final AtomicInteger TRIALS = new AtomicInteger();
    private static final Map<Mutant, Future<List<Violation>>> MUTATED = new EnumMap<>(Mutant.class);
    private static final Map<Mutant, Future<List<Violation>>> CONTROLS = new EnumMap<>(Mutant.class);

    private static FaultyServers servers;
    private static Path agent;
    private static ExecutorService executor;

    /** All of them, a few at a time: most of a trial is waiting. */
    @BeforeAll
    static void start() throws Exception {
        Files.createDirectories(FOLDER);
        servers = new FaultyServers(FOLDER.resolve("servers"));
        agent = AgentJar.write(FOLDER);
        executor = Executors.newFixedThreadPool(AT_ONCE);
        for (Mutant mutant : wanted()) {
            Set<Mutation> all = EnumSet.copyOf(mutant.mutations);
            all.addAll(mutant.circumstances);
            MUTATED.put(mutant, executor.submit(() -> run(mutant, all)));
            CONTROLS.put(mutant, executor.submit(() -> run(mutant, mutant.circumstances)));
        }
    }

    /** {@code -Dmutant=} a name, to look at one alone. */
    private static List<Mutant> wanted() {
        String name = System.getProperty("mutant", "");
        return Arrays.stream(Mutant.values()).filter(mutant -> name.isEmpty() || mutant.name().equals(name)).toList();
    }

    @AfterAll
    static void stop() {
        executor.shutdownNow();
        servers.close();
    }

    private static List<Violation> run(Mutant mutant, Set<Mutation> mutations) {
        int number = TRIALS.incrementAndGet() % 15 + 1;
        try (Trial trial = new Trial(servers, number, agent, FOLDER, mutations)) {
            mutant.script.accept(trial);
            return trial.judge();
        }
    }

    @ParameterizedTest
    @MethodSource("wanted")
    void a_mutant_is_reported(Mutant mutant) throws Exception {
        List<Violation> violations = MUTATED.get(mutant).get();
        assertThat(violations).as("violations of %s by %s", mutant.violated, mutant)
                .anyMatch(violation -> violation.invariant() == mutant.violated);
    }

    @ParameterizedTest
    @MethodSource("wanted")
    void the_protocol_passes_the_trial_of_a_mutant(Mutant mutant) throws Exception {
        assertThat(CONTROLS.get(mutant).get()).isEmpty();
    }

    /** Whoever runs the job stands still before it records the end, until the other one has run it, too. */
    private static void recordLate(Trial trial) {
        trial.start(ONE, "all");
        trial.start(OTHER, "worker");
        for (String process : List.of(ONE, OTHER)) {
            trial.arm(process, Point.BEFORE_SETTLE, Action.PAUSE, Duration.ofSeconds(12));
        }
        trial.submit(Plan.Kind.OK, 0);
        String slow = trial.awaitHit(Point.BEFORE_SETTLE);
        trial.disarm();
        trial.arm(slow, Point.HEARTBEAT, Action.SKIP, Duration.ofSeconds(14));
        trial.awaitEnds(LIMIT);
        trial.awaitPassed(Duration.ofSeconds(8));
    }

    /** Between the reaper's look and its write, the job that looked abandoned is recorded as completed. */
    private static void settleWhileItIsReaped(Trial trial) {
        Cluster.Member one = trial.start(ONE, "all");
        trial.start(OTHER, "worker", "MILLRACE_QUEUES", "another"); // reaps
        trial.arm(ONE, Point.HEARTBEAT, Action.SKIP, Duration.ofSeconds(9));
        trial.arm(ONE, Point.BEFORE_SETTLE, Action.PAUSE, Duration.ofSeconds(1));
        trial.submit(Plan.Kind.OK, 0);
        trial.awaitHit(Point.BEFORE_SETTLE);
        one.pause(); // all of it, its own reaper too, until the other one is at it, or is done where it takes no time
        trial.awaitTrue("select exists (select 1 from job where lost > 0) or exists (select 1 from pg_stat_activity a, job j "
                + "where a.datname = current_database() and a.wait_event = 'PgSleep' and j.lease_until < a.query_start)");
        one.resume();
        trial.awaitPassed(Duration.ofSeconds(5));
        trial.awaitEnds(LIMIT);
    }

    private static void dieAt(Trial trial, Point point) {
        trial.start(OTHER, "api");
        trial.start(ONE, "worker");
        trial.arm(ONE, point, Action.KILL, Duration.ZERO);
        trial.submit(Plan.Kind.OK, 0);
        trial.awaitHit(point);
        trial.awaitEnds(LIMIT);
    }

    private static void appendBeforeTheGroup(Trial trial) {
        trial.start(OTHER, "api");
        Cluster.Member worker = trial.start(ONE, "worker");
        worker.pause();
        trial.redis("DEL " + STREAM);
        trial.submit(Plan.Kind.OK, 0);
        worker.resume();
        trial.awaitEnds(LIMIT);
    }

    private static void promoteToNothing(Trial trial) {
        trial.start(ONE, "all");
        trial.submit(Plan.Kind.SCHEDULED, 3_000);
        trial.redis("SET " + STREAM + " nonsense");
        trial.awaitPassed(Duration.ofSeconds(5));
        trial.redis("DEL " + STREAM);
        trial.awaitEnds(LIMIT);
    }

    private static void failOnce(Trial trial) {
        trial.start(ONE, "all");
        trial.submit(Plan.Kind.FLAKY, 1);
        trial.awaitEnds(Duration.ofSeconds(12));
    }

    private static void failForGood(Trial trial) {
        trial.start(ONE, "all");
        trial.submit(Plan.Kind.EXHAUSTED, 2);
        trial.awaitEnds(LIMIT);
    }

    /** An id cannot be put on the stream, and so the next one is left to the relay, which dies after it has marked the job. */
    private static void dieBeforeTheAppend(Trial trial) {
        trial.start(ONE, "all");
        trial.redis("SET " + STREAM + " nonsense");
        trial.submit(Plan.Kind.OK, 0);
        trial.submit(Plan.Kind.OK, 1);
        trial.arm(ONE, Point.RELAY_AFTER_MARK, Action.KILL, Duration.ZERO);
        trial.redis("DEL " + STREAM);
        trial.awaitHit(Point.RELAY_AFTER_MARK);
        trial.awaitEnds(LIMIT);
    }

    private static void deliverEarly(Trial trial) {
        trial.start(ONE, "all");
        UUID id = trial.submit(Plan.Kind.SCHEDULED, 6_000);
        trial.deliverAgain(id);
        trial.awaitEnds(LIMIT);
    }

    private static void deliverTwice(Trial trial) {
        trial.start(ONE, "all");
        UUID id = trial.submit(Plan.Kind.SLOW, 3_000);
        trial.awaitEffect(id);
        trial.deliverAgain(id);
        trial.awaitEnds(LIMIT);
        trial.awaitPassed(Duration.ofSeconds(4));
    }

    /** A mutation that nobody tries proves nothing. */
    @ParameterizedTest
    @EnumSource
    void every_mutation_has_its_trial(Mutation mutation) {
        Set<Mutation> tried = Arrays.stream(Mutant.values())
                .flatMap(mutant -> java.util.stream.Stream.concat(mutant.mutations.stream(), mutant.circumstances.stream()))
                .collect(Collectors.toSet());
        assertThat(tried).contains(mutation);
    }
}
