package io.millrace.chaos;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.stream.IntStream;

import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;

import io.millrace.local.FaultyServers;
import io.millrace.support.Api;
import io.millrace.support.PlainRedis;
import io.millrace.support.Streams;

/** How long it takes until work goes on, fault by fault, with the settings that Millrace comes with. */
final class Recovery {
    private static final Duration LIMIT = Duration.ofMinutes(5);
    private static final Duration AWAY = Duration.ofSeconds(60);
    private static final int KILLED_JOBS = 10;
    private static final int QUEUED = 100_000;
    private static final int BULK = 10_000;
    private static final int SLOTS = 8;
    private static final long POST_EVERY_MS = 20;
    private static final String LONG_JOB = "{\"type\":\"sleep\",\"payload\":{\"ms\":180000},\"timeout\":\"PT1H\",\"tags\":[\"n0\"]}";
    private static final String JOB = "{\"type\":\"echo\",\"tags\":[\"n1\"]}";

    /** @param target at most so long, or so many; what was promised */
    record Measured(String what, String value, String target, boolean isMet) {}

    private final Path folder;
    private final List<Measured> measured = new ArrayList<>();

    Recovery(Path folder) {
        this.folder = folder;
    }

    List<Measured> measure() {
        killWorker("worker killed, lease 30 s: its 10 jobs run elsewhere", Map.of(), 45);
        killWorker("worker killed, lease 5 s: its 10 jobs run elsewhere", Cluster.SETTINGS, 15);
        flush();
        stopRedis();
        restartPostgres();
        return measured;
    }

    private void killWorker(String what, Map<String, String> settings, int target) {
        try (Stage stage = new Stage(settings)) {
            stage.start("api", "api");
            Cluster.Member first = stage.start("first", "worker");
            Api api = stage.cluster.anyApi(0).orElseThrow();
            List<UUID> ids = IntStream.range(0, KILLED_JOBS).mapToObj(i -> UUID.fromString(api.enqueue(LONG_JOB))).toList();
            await().until(() -> stage.ran(effect -> effect.epoch() == 1) == KILLED_JOBS);
            stage.start("second", "worker");
            Instant killed = Instant.now();
            first.remove();
            await().until(() -> stage.ran(effect -> effect.epoch() == 2 && ids.contains(effect.jobId())) == KILLED_JOBS);
            took(what, killed, target);
        }
    }

    private void flush() {
        try (Stage stage = new Stage(Map.of())) {
            stage.start("api", "api");
            stage.start("worker", "worker", "MILLRACE_WORKER_SLOTS", Integer.toString(SLOTS));
            Api api = stage.cluster.anyApi(0).orElseThrow();
            IntStream.range(0, SLOTS).forEach(i -> api.enqueue(LONG_JOB));
            await().until(() -> stage.ran(effect -> true) == SLOTS);
            for (int i = 0; i < QUEUED / BULK; i++) {
                api.post("/v1/jobs/bulk", "[" + String.join(",", Collections.nCopies(BULK, JOB)) + "]");
            }
            Streams streams = new Streams(stage.cluster.redisUrl());
            await().until(() -> streams.length("default") >= QUEUED);
            Instant flushed = Instant.now();
            PlainRedis.ask(stage.cluster.redisUrl(), "FLUSHALL");
            await().until(() -> streams.length("default") >= QUEUED);
            took("FLUSHALL with 100,000 queued jobs: all are back on the stream", flushed, 30);
        }
    }

    private void stopRedis() {
        try (Stage stage = new Stage(Map.of())) {
            stage.start("api", "api");
            stage.start("worker", "worker");
            Api api = stage.cluster.anyApi(0).orElseThrow();
            api.run(JOB);
            stage.servers.killRedis();
            Instant stopped = Instant.now();
            AtomicInteger posts = new AtomicInteger();
            AtomicInteger refused = new AtomicInteger();
            await().pollInterval(Duration.ofMillis(POST_EVERY_MS)).until(() -> {
                posts.incrementAndGet();
                refused.addAndGet(api.post("/v1/jobs", JOB).status() == 201 ? 0 : 1);
                return Duration.between(stopped, Instant.now()).compareTo(AWAY) > 0;
            });
            stage.servers.startRedis();
            Instant back = Instant.now();
            await().until(() -> Evidence.countOpen(stage.cluster.databaseUrl()) == 0);
            measured.add(new Measured("Redis stopped for 60 s: submits refused, of " + posts, refused.toString(), "0",
                    refused.get() == 0));
            measured.add(new Measured("Redis stopped for 60 s: processes that ended", "" + stage.cluster.ends().size(), "0",
                    stage.cluster.ends().isEmpty()));
            took("Redis stopped for 60 s: all jobs of that minute have run", back, 15);
        }
    }

    private void restartPostgres() {
        try (Stage stage = new Stage(Map.of())) {
            stage.start("api", "api");
            stage.start("worker", "worker");
            Api api = stage.cluster.anyApi(0).orElseThrow();
            for (int i = 0; i < KILLED_JOBS; i++) {
                api.enqueue("{\"type\":\"echo\",\"delay\":\"PT2S\",\"tags\":[\"n1\"]}");
            }
            stage.servers.killPostgres();
            stage.servers.startPostgres();
            Instant back = Instant.now();
            await().until(() -> !Evidence.claimersSince(stage.cluster.databaseUrl(), back).isEmpty());
            took("PostgreSQL killed and started again: the first claim", back, 10);
        }
    }

    private void took(String what, Instant since, int targetSeconds) {
        double seconds = Duration.between(since, Instant.now()).toMillis() / 1e3;
        measured.add(new Measured(what, "%.1f s".formatted(seconds), "<= " + targetSeconds + " s", seconds <= targetSeconds));
    }

    static String table(List<Measured> measured) {
        StringBuilder table = new StringBuilder("| | measured | target |\n|---|---|---|\n");
        measured.forEach(line -> table.append("| ").append(line.what()).append(" | ").append(line.value()).append(" | ")
                .append(line.target()).append(line.isMet() ? "" : ": **missed**").append(" |\n"));
        return table.toString();
    }

    private static ConditionFactory await() {
        return Awaitility.await().atMost(LIMIT).pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(50))
                .ignoreException(IllegalStateException.class).ignoreException(UncheckedIOException.class);
    }

    /** Servers and processes of one measurement. */
    private final class Stage implements AutoCloseable {
        private final Journal journal = new Journal(folder.resolve("recovery-" + measured.size() + ".jsonl"));
        private final Conductor conductor = new Conductor(journal);
        private final FaultyServers servers;
        private final Cluster cluster;

        Stage(Map<String, String> settings) {
            try {
                Files.createDirectories(folder);
                servers = new FaultyServers(folder.resolve("servers-" + measured.size()));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            cluster = new Cluster(servers, servers.databaseUrl(), servers.redisUrl(), settings, AgentJar.write(folder),
                    conductor,
                    journal);
        }

        Cluster.Member start(String name, String mode, String... special) {
            boolean isFirst = cluster.members().isEmpty();
            Cluster.Member member = cluster.start(name, mode, Set.of(), special);
            member.awaitReady();
            if (isFirst) {
                Evidence.installAudit(cluster.databaseUrl());
            }
            return member;
        }

        /** @return how many effects there were of that kind */
        long ran(Predicate<Conductor.Effect> kind) {
            return conductor.effects().stream().filter(kind).count();
        }

        @Override
        public void close() {
            cluster.close();
            servers.close();
            conductor.close();
            journal.close();
        }
    }
}
