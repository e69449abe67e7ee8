package io.millrace.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.awaitility.core.ConditionTimeoutException;

import io.millrace.chaos.agent.Action;
import io.millrace.chaos.agent.Mutation;
import io.millrace.chaos.agent.Point;
import io.millrace.local.FaultyServers;
import io.millrace.support.Api;
import io.millrace.support.PlainRedis;
import io.millrace.support.TestServers;

/** A few processes and a few jobs, with one fault at the right moment: enough to see what one mutation does. */
final class Trial implements AutoCloseable {
    private static final Duration STEP_LIMIT = Duration.ofSeconds(90);

    private final Cluster cluster;
    private final Conductor conductor;
    private final Journal journal;
    private final Set<Mutation> mutations;
    private final Map<Integer, Load.Submission> submissions = new ConcurrentHashMap<>();
    private final Instant start = Instant.now();

    /** @param number of the Redis database; one of its own for each trial that runs at the same time */
    Trial(FaultyServers servers, int number, Path agent, Path folder, Set<Mutation> mutations) {
        this.mutations = mutations;
        journal = new Journal(folder.resolve("trial-" + number + ".jsonl"));
        conductor = new Conductor(journal);
        String redisUrl = URI.create(servers.redisUrl()).resolve("/" + number).toString();
        PlainRedis.ask(redisUrl, "FLUSHDB");
        cluster = new Cluster(servers, newDatabase(servers), redisUrl, Cluster.SETTINGS, agent, conductor, journal);
    }

    private static String newDatabase(FaultyServers servers) {
        String name = "trial_" + UUID.randomUUID().toString().replace("-", "");
        try (Connection connection = TestServers.connect(servers.databaseUrl());
                Statement statement = connection.createStatement()) {
            statement.execute("create database " + name);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
        return URI.create(servers.databaseUrl()).resolve("/" + name).toString();
    }

    /** Starts a process and waits for it. The first one migrates the database. */
    Cluster.Member start(String name, String mode, String... settings) {
        boolean isFirst = cluster.members().isEmpty();
        Cluster.Member member = cluster.start(name, mode, mutations, settings);
        member.awaitReady();
        if (isFirst) {
            Evidence.installAudit(cluster.databaseUrl());
        }
        return member;
    }

    void arm(String process, Point point, Action action, Duration time) {
        assertThat(conductor.arm(process, point, action, time, 0)).as("%s is there to be armed", process).isTrue();
    }

    /** Hands a job in. @return its id */
    UUID submit(Plan.Kind kind, int number) {
        Plan plan = new Plan(submissions.size(), kind, number, "default", "normal");
        Instant sent = Instant.now();
        Api.Answer answer = cluster.anyApi(0).orElseThrow().post("/v1/jobs", plan.json());
        assertThat(answer.status()).as(answer.toString()).isEqualTo(201);
        UUID id = UUID.fromString(answer.json().path("id").asText());
        submissions.put(plan.seq(), new Load.Submission(plan, id, answer.status(), sent));
        return id;
    }

    /** @return the process that was hit */
    String awaitHit(Point point) {
        await("a hit at " + point).until(() -> conductor.hitAt(point) != null);
        return conductor.hitAt(point);
    }

    void awaitEffect(UUID id) {
        await("an effect of " + id).until(() -> conductor.effects().stream().anyMatch(effect -> effect.jobId().equals(id)));
    }

    void awaitPassed(Duration time) {
        Instant until = Instant.now().plus(time);
        await("time to pass").until(() -> Instant.now().isAfter(until));
    }

    /** Asks PostgreSQL again and again. */
    void awaitTrue(String question) {
        await(question).until(() -> {
            try (Connection connection = TestServers.connect(cluster.databaseUrl());
                    Statement statement = connection.createStatement();
                    ResultSet answer = statement.executeQuery(question)) {
                return answer.next() && answer.getBoolean(1);
            }
        });
    }

    void redis(String... commands) {
        PlainRedis.ask(cluster.redisUrl(), commands);
    }

    void disarm() {
        conductor.disarm();
    }

    /** Puts the id of a job on the stream, as if Redis had gone back in time. */
    void deliverAgain(UUID id) {
        redis("XADD {default}:normal * j " + id);
    }

    /** Waits for the end of all jobs, at most so long. */
    void awaitEnds(Duration limit) {
        try {
            Awaitility.await().atMost(limit).pollInterval(Duration.ofMillis(100)).until(
                    () -> Evidence.countOpen(cluster.databaseUrl()) == 0);
        } catch (ConditionTimeoutException stillOpen) {
            // the judgement will say so
        }
    }

    List<Checker.Violation> judge() {
        Storm.Occurrence all = new Storm.Occurrence(Fault.Kind.FAILPOINT, "the trial", start, Instant.now());
        return new Checker(submissions, Map.of(), Map.of(), Evidence.read(cluster.databaseUrl()), conductor.effects(),
                List.of(all))
                .check();
    }

    private static ConditionFactory await(String what) {
        return Awaitility.await(what).atMost(STEP_LIMIT).pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(20));
    }

    @Override
    public void close() {
        cluster.close();
        conductor.close();
        journal.close();
    }
}
