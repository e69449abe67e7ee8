package io.millrace.chaos;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.awaitility.core.ConditionTimeoutException;

import com.fasterxml.jackson.databind.JsonNode;

import io.millrace.chaos.Checker.Violation;
import io.millrace.local.FaultyServers;
import io.millrace.support.Api;
import io.millrace.support.Streams;

/**
 * One run: two api processes and three workers under load while a storm of faults goes on, with a calm every now and then in
 * which all must work again; then everything has to come to its end, and is judged.
 */
final class Chaos implements AutoCloseable {
    private static final int APIS = 2;
    private static final int WORKERS = 3;
    private static final Duration WARM_UP = Duration.ofSeconds(8);
    private static final Duration STORM = Duration.ofSeconds(50);
    static final Duration RECOVERY_LIMIT = Duration.ofSeconds(15);
    private static final Duration CALM_LIMIT = Duration.ofSeconds(120);
    private static final Duration DRAIN_LIMIT = Duration.ofSeconds(300);
    private static final int CANNOT_START = 1;
    private static final Duration START_PATIENCE = Duration.ofSeconds(15);
    private static final int PAGE = 200;
    private static final int HEAP_SLACK_MB = 48;
    private static final int THREAD_SLACK = 25;
    private static final int FILE_SLACK = 60;
    private static final int CONSUMERS_LIMIT = 200;
    private static final Pattern WORKER_NAME = Pattern.compile("worker (\\S+) reads ");

    /** @param recoveries how long each worker took after each storm until it claimed a job */
    record Result(long seed, Duration time, int accepted, int unclear, int serverErrors, int repeats, int answeredAgain,
            Storm storm, Conductor conductor,
            List<Duration> recoveries, Checker.Figures figures, Map<String, String> memory, List<Violation> violations) {}

    private final long seed;
    private final Path folder;
    private final Journal journal;
    private final Conductor conductor;
    private final FaultyServers servers;
    private final Cluster cluster;
    private final Storm storm;
    private final Load load;
    private final List<Violation> violations = new ArrayList<>();
    private final List<Duration> recoveries = new ArrayList<>();
    private final Map<String, Conductor.Figures> baseline = new HashMap<>();
    private final Instant start = Instant.now();

    Chaos(long seed, Path folder) {
        this.seed = seed;
        this.folder = folder;
        try {
            Files.createDirectories(folder);
            servers = new FaultyServers(folder.resolve("servers"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        journal = new Journal(folder.resolve("journal.jsonl"));
        conductor = new Conductor(journal);
        cluster = new Cluster(servers, servers.databaseUrl(), servers.redisUrl(), Cluster.SETTINGS, AgentJar.write(folder),
                conductor, journal);
        startProcesses();
        storm = new Storm(cluster, journal, seed);
        load = new Load(cluster, journal, seed);
    }

    private void startProcesses() {
        cluster.start("api1", "api", Set.of()).awaitReady(); // alone: it migrates
        Evidence.installAudit(cluster.databaseUrl());
        for (int i = 2; i <= APIS; i++) {
            cluster.start("api" + i, "api", Set.of());
        }
        for (int i = 1; i <= WORKERS; i++) {
            cluster.start("worker" + i, "worker", Set.of());
        }
        cluster.members().forEach(Cluster.Member::awaitReady);
        say("%d processes are ready", APIS + WORKERS);
    }

    /** @param jobsPerSecond on average */
    Result run(Duration time, int jobsPerSecond) {
        Instant end = Instant.now().plus(time);
        load.rate(jobsPerSecond);
        calm(Instant.now());
        awaitPassed(Instant.now().plus(WARM_UP));
        cluster.members().forEach(member -> baseline.put(member.name, conductor.figures(member.name)));
        while (Instant.now().isBefore(end)) {
            Duration left = Duration.between(Instant.now(), end);
            storm.rage(left.compareTo(STORM) < 0 ? left : STORM);
            calm(Instant.now());
            say("%d faults, %d jobs accepted, %d open", storm.occurrences().size(), load.acceptedCount(), openCount());
        }
        load.rate(0);
        drain();
        return judge();
    }

    /**
     * Every worker has to get ready and claim a job: within the limit of the end of the storm, or, if it was started anew
     * meanwhile (a poison job may come at any time), of getting ready.
     */
    private void calm(Instant healed) {
        conductor.disarm();
        Map<String, Instant> readySince = new HashMap<>();
        try {
            await(CALM_LIMIT).until(() -> {
                Map<String, Instant> claimers = Evidence.claimersSince(cluster.databaseUrl(), healed);
                cluster.workers().stream().filter(Cluster.Member::isReady).flatMap(worker -> consumerName(worker).stream())
                        .forEach(name -> readySince.putIfAbsent(name, Instant.now()));
                return cluster.workers().stream()
                        .allMatch(worker -> consumerName(worker).filter(claimers::containsKey).isPresent());
            });
        } catch (ConditionTimeoutException e) {
            say("after %s not every worker has claimed a job: poison jobs kill them, or they do not work", CALM_LIMIT);
        }
        Map<String, Instant> claimers = Evidence.claimersSince(cluster.databaseUrl(), healed);
        for (Cluster.Member worker : cluster.workers()) {
            String name = consumerName(worker).orElse("");
            Instant ready = readySince.get(name);
            if (ready == null) {
                continue; // it has just been started anew
            }
            Duration recovery = Duration.between(ready, claimers.getOrDefault(name, Instant.now()));
            recoveries.add(recovery.isNegative() ? Duration.ZERO : recovery);
            if (recovery.compareTo(RECOVERY_LIMIT) > 0) {
                violations.add(
                        new Violation(Invariant.I13, null, worker.name + " was ready for " + recovery + " until it claimed "
                                + "a job, in the calm after " + healed));
            }
        }
    }

    /** The name under which the process that now runs claims jobs: the last one that it told in its log. */
    private static Optional<String> consumerName(Cluster.Member worker) {
        Matcher name = WORKER_NAME.matcher(worker.output());
        return name.find() ? Optional.of(name.group(1)) : Optional.empty();
    }

    private void drain() {
        say("no more faults: waiting for %d open jobs", openCount());
        try {
            await(DRAIN_LIMIT).until(() -> load.isQuiet() && openCount() == 0);
        } catch (ConditionTimeoutException e) {
            say("%d jobs are still open after %s: %s", openCount(), DRAIN_LIMIT, load.describe()); // the judgement names each
        }
        for (String queue : List.of("default", Plan.SIDE_QUEUE)) {
            checkEmpty(queue);
        }
        checkMemory();
    }

    private void checkEmpty(String queue) {
        Streams streams = new Streams(cluster.redisUrl());
        try {
            await(CALM_LIMIT).until(
                    () -> streams.length(queue) + streams.pending(queue) + streams.delayed(queue) == 0);
        } catch (ConditionTimeoutException e) {
            violations
                    .add(new Violation(Invariant.I12, null, "queue " + queue + " keeps " + streams.length(queue) + " entries, "
                            + streams.pending(queue) + " pending, " + streams.delayed(queue) + " delayed"));
        }
        int consumers = streams.consumers(queue);
        if (consumers > CONSUMERS_LIMIT) {
            violations.add(new Violation(Invariant.I12, null, "queue " + queue + " has " + consumers + " consumers"));
        }
    }

    /** Against the baseline of its first life: a process that was started anew is no larger either. */
    private void checkMemory() {
        for (Cluster.Member member : cluster.members()) {
            Conductor.Figures before = baseline.get(member.name);
            Conductor.Figures now = conductor.figures(member.name);
            if (before == null || now == null || now.heapMb() > before.heapMb() + HEAP_SLACK_MB
                    || now.threads() > before.threads() + THREAD_SLACK || now.files() > before.files() + FILE_SLACK) {
                violations.add(new Violation(Invariant.I12, null, member.name + " had " + before + " and has " + now));
            }
        }
    }

    private Result judge() {
        Map<String, String> memory = new HashMap<>();
        cluster.members().forEach(member -> memory.put(member.name,
                baseline.get(member.name) + " -> " + conductor.figures(member.name)));
        cluster.unexpectedEnds().stream().filter(ended -> !isRefusedStart(ended))
                .forEach(ended -> violations.add(new Violation(Invariant.I13, null, ended.toString())));
        Evidence evidence = Evidence.read(cluster.databaseUrl());
        Checker checker = new Checker(load.submissions(), load.cancels(), load.replays(), evidence, conductor.effects(),
                explanations());
        checker.checkDeadLetters(listDeadLetters());
        violations.addAll(checker.check());
        int unclear = load.submissions().size() - load.acceptedCount();
        return new Result(seed, Duration.between(start, Instant.now()), load.acceptedCount(), unclear, load.serverErrorCount(),
                load.repeatCount(), load.answeredAgainCount(), storm, conductor, recoveries, checker.figures(), memory,
                violations);
    }

    /** A process that is started while a store is away says so and ends, for the orchestrator to start it again. */
    private boolean isRefusedStart(Cluster.Ended ended) {
        return ended.exitCode() == CANNOT_START && storm.occurrences().stream()
                .anyMatch(fault -> fault.touches(ended.at().minus(START_PATIENCE), ended.at(), Duration.ofSeconds(2)));
    }

    /** The faults, and the deaths of processes that jobs and failpoints caused. */
    private List<Storm.Occurrence> explanations() {
        List<Storm.Occurrence> all = new ArrayList<>(storm.occurrences());
        cluster.ends().forEach(ended -> all.add(new Storm.Occurrence(Fault.Kind.KILL_PROCESS, ended.toString(), ended.at(),
                ended.at())));
        return all;
    }

    private List<UUID> listDeadLetters() {
        List<UUID> ids = new ArrayList<>();
        Api api = cluster.anyApi(0).orElseThrow();
        String cursor = "";
        do {
            JsonNode page = api.get("/v1/dead-letters?limit=" + PAGE + cursor).json();
            page.path("data").forEach(job -> ids.add(UUID.fromString(job.path("id").asText())));
            cursor = page.path("nextCursor").isTextual() ? "&cursor=" + page.path("nextCursor").asText() : null;
        } while (cursor != null);
        return ids;
    }

    private int openCount() {
        return Evidence.countOpen(cluster.databaseUrl());
    }

    private static void awaitPassed(Instant time) {
        await(Duration.ofHours(1)).until(() -> Instant.now().isAfter(time));
    }

    private static ConditionFactory await(Duration limit) {
        return Awaitility.await().atMost(limit).pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(250))
                .ignoreExceptions();
    }

    void say(String text, Object... values) {
        System.out.printf("[chaos %4d s] " + text + "%n",
                prepend(Duration.between(start, Instant.now()).toSeconds(), values));
    }

    private static Object[] prepend(Object first, Object[] rest) {
        Object[] all = new Object[rest.length + 1];
        all[0] = first;
        System.arraycopy(rest, 0, all, 1, rest.length);
        return all;
    }

    Path folder() {
        return folder;
    }

    @Override
    public void close() {
        load.close();
        storm.close();
        cluster.close();
        servers.close();
        conductor.close();
        journal.close();
    }
}
