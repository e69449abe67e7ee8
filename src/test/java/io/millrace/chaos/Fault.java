package io.millrace.chaos;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;

import io.millrace.chaos.agent.Action;
import io.millrace.chaos.agent.Point;
import io.millrace.support.PlainRedis;
import io.millrace.support.TcpProxy.Way;
import io.millrace.support.TestServers;

/**
 * One thing that goes wrong, for a while.
 *
 * @param target number of the process it is done to, over all processes in the order of their start
 * @param choice a random number for what else there is to choose
 */
record Fault(Kind kind, int target, Duration time, int choice) {

    /** What can go wrong. The weight says how often it does. */
    enum Kind {
        KILL_PROCESS(5), TERMINATE_WORKER(5), PAUSE_PROCESS(8), FAILPOINT(20), KILL_REDIS(6), PAUSE_REDIS(5), FLUSH_REDIS(5),
        ROLL_BACK_REDIS(3), DELETE_STREAM(3), TRIM_STREAM(3), DELETE_CONSUMERS(3), DESTROY_GROUP(3), DELETE_DELAYED(3),
        FORGET_SCRIPTS(3), KILL_REDIS_CLIENTS(4), FILL_REDIS(4), BLOCK_REDIS(3), WRONG_TYPE(2), FOREIGN_ENTRIES(3),
        DUPLICATE_ENTRIES(4), KILL_POSTGRES(6), PAUSE_POSTGRES(4), TERMINATE_BACKENDS(5), LOCK_TABLE(3), HANG_DATABASE(4),
        HANG_REDIS(4), HALF_OPEN(5), CUT_DATABASE(4), CUT_REDIS(4), LOSE_DATABASE_REPLIES(6), LOSE_REDIS_REPLIES(6),
        SLOW_NETWORK(4);

        private final int weight;

        Kind(int weight) {
            this.weight = weight;
        }
    }

    private static final List<String> STREAMS = List.of("{default}:normal", "{default}:high", "{default}:low",
            "{side}:normal");
    private static final List<Point> POINTS = List.of(Point.values());

    static Fault random(SplittableRandom random, int processes) {
        int sum = 0;
        for (Kind kind : Kind.values()) {
            sum += kind.weight;
        }
        int drawn = random.nextInt(sum);
        int at = 0;
        while (drawn >= Kind.values()[at].weight) {
            drawn -= Kind.values()[at].weight;
            at++;
        }
        return new Fault(Kind.values()[at], random.nextInt(processes), Duration.ofMillis(random.nextInt(300, 5_000)),
                random.nextInt(1 << 20));
    }

    /** Every point in turn, however the dice fall: each is to be hit in every run. */
    static Fault failpoint(int turn, SplittableRandom random, int processes) {
        Point point = POINTS.get(turn % POINTS.size());
        int choice = turn % POINTS.size() + POINTS.size() * random.nextInt(1_000);
        int ms = isFrequent(point) ? random.nextInt(300, 5_000) : random.nextInt(6_000, 9_000);
        return new Fault(Kind.FAILPOINT, random.nextInt(processes), Duration.ofMillis(ms), choice);
    }

    /** Passed many times a second by every process that passes it at all. */
    private static boolean isFrequent(Point point) {
        return switch (point) {
            case BEFORE_INSERT, AFTER_INSERT, AFTER_READ, BEFORE_CLAIM, AFTER_CLAIM, BEFORE_EFFECT, AFTER_EFFECT, BEFORE_SETTLE,
                    AFTER_SETTLE, BEFORE_ACK ->
                true;
            default -> false;
        };
    }

    void begin(Cluster cluster) {
        Cluster.Member member = cluster.members().get(target % cluster.members().size());
        Cluster.Member worker = cluster.workers().get(target % cluster.workers().size());
        switch (kind) {
            case KILL_PROCESS -> member.kill();
            case TERMINATE_WORKER -> worker.terminate();
            case PAUSE_PROCESS -> member.pause();
            case FAILPOINT -> arm(cluster);
            case KILL_REDIS -> cluster.servers().killRedis();
            case PAUSE_REDIS -> cluster.servers().pauseRedis();
            case FLUSH_REDIS -> redis(cluster, "FLUSHALL");
            case ROLL_BACK_REDIS -> copyRedis(cluster);
            case DELETE_STREAM -> redis(cluster, "DEL " + stream());
            case TRIM_STREAM -> redis(cluster, "XTRIM " + stream() + " MAXLEN 0");
            case DELETE_CONSUMERS -> deleteConsumers(cluster);
            case DESTROY_GROUP -> redis(cluster, "XGROUP DESTROY " + stream() + " workers");
            case DELETE_DELAYED -> redis(cluster, "DEL {default}:delayed");
            case FORGET_SCRIPTS -> redis(cluster, "SCRIPT FLUSH");
            case KILL_REDIS_CLIENTS -> redis(cluster, "CLIENT KILL TYPE normal");
            case FILL_REDIS -> redis(cluster, "CONFIG SET maxmemory 1");
            case BLOCK_REDIS -> redis(cluster, "CLIENT PAUSE " + time.toMillis() + " ALL");
            case WRONG_TYPE -> redis(cluster, "SET " + stream() + " nonsense");
            case FOREIGN_ENTRIES -> redis(cluster, "XADD " + stream() + " * x y", "XADD " + stream() + " * j nonsense",
                    "XADD " + stream() + " * j 00000000-0000-7000-8000-000000000000");
            case DUPLICATE_ENTRIES -> duplicate(cluster);
            case KILL_POSTGRES -> cluster.servers().killPostgres();
            case PAUSE_POSTGRES -> cluster.servers().pausePostgres();
            case TERMINATE_BACKENDS -> sql(cluster,
                    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'millrace'");
            case LOCK_TABLE -> sql(cluster, "begin; lock table job; select pg_sleep(" + Math.min(3.0, time.toMillis() / 1000.0)
                    + "); commit");
            case HANG_DATABASE -> member.toDatabase.hang();
            case HANG_REDIS -> member.toRedis.hang();
            case HALF_OPEN -> (choice % 2 == 0 ? member.toDatabase : member.toRedis)
                    .hang(choice % 4 < 2 ? Way.TO_CLIENT : Way.TO_SERVER);
            case CUT_DATABASE -> member.toDatabase.cut();
            case CUT_REDIS -> member.toRedis.cut();
            case LOSE_DATABASE_REPLIES -> member.toDatabase.loseReplies(1 + choice % 3);
            case LOSE_REDIS_REPLIES -> member.toRedis.loseReplies(1 + choice % 3);
            case SLOW_NETWORK -> {
                member.toDatabase.delay(Duration.ofMillis(5 + choice % 60));
                member.toRedis.delay(Duration.ofMillis(5 + choice % 30));
            }
        }
    }

    void end(Cluster cluster) {
        Cluster.Member member = cluster.members().get(target % cluster.members().size());
        switch (kind) {
            case PAUSE_PROCESS -> member.resume();
            case FAILPOINT -> cluster.conductor().disarm();
            case KILL_REDIS -> cluster.servers().startRedis();
            case ROLL_BACK_REDIS -> rollBackRedis(cluster);
            case PAUSE_REDIS -> cluster.servers().resumeRedis();
            case FILL_REDIS -> redis(cluster, "CONFIG SET maxmemory 0");
            case WRONG_TYPE -> redis(cluster, "DEL " + stream());
            case KILL_POSTGRES -> cluster.servers().startPostgres();
            case PAUSE_POSTGRES -> cluster.servers().resumePostgres();
            case HANG_DATABASE, HANG_REDIS, HALF_OPEN, CUT_DATABASE, CUT_REDIS, LOSE_DATABASE_REPLIES, LOSE_REDIS_REPLIES,
                    SLOW_NETWORK -> {
                member.toDatabase.resume();
                member.toRedis.resume();
            }
            default -> {
            }
        }
    }

    /** @return what it is, for the journal */
    String describe() {
        return kind == Kind.FAILPOINT ? kind + " " + point() + " " + action() : kind + " " + target;
    }

    Point point() {
        return POINTS.get(choice % POINTS.size());
    }

    /** Half of the hits end the process: those are the ones that leave something behind. */
    private Action action() {
        int drawn = choice / POINTS.size() % 10;
        if (point() == Point.HEARTBEAT) {
            return drawn < 5 ? Action.SKIP : Action.PAUSE;
        }
        if (point() == Point.BEFORE_EFFECT || point() == Point.AFTER_EFFECT) {
            return drawn < 6 ? Action.KILL : Action.PAUSE; // a handler that fails is part of the plan, not a fault
        }
        return drawn < 4 ? Action.KILL : drawn < 7 ? Action.PAUSE : Action.FAIL;
    }

    /** A rare point in all processes that may come by there, and what makes them come. */
    private void arm(Cluster cluster) {
        List<Cluster.Member> candidates = point().isOfWorker() ? cluster.workers() : cluster.apis();
        Cluster.Member chosen = candidates.get(target % candidates.size());
        if (isFrequent(point()) || point() == Point.DRAIN || point() == Point.DRAIN_MID) {
            cluster.conductor().arm(chosen.name, point(), action(), time, isFrequent(point()) ? choice % 7 : 0);
        } else {
            candidates.forEach(member -> cluster.conductor().arm(member.name, point(), action(), time, 0));
        }
        switch (point()) {
            case DRAIN, DRAIN_MID -> chosen.terminate();
            case AFTER_REAP -> chosen.kill(); // and its leases run out
            case RELAY_AFTER_MARK, AFTER_APPEND -> refuseForAMoment(cluster); // and what was not appended is the relay's
            default -> {
            }
        }
    }

    private static void refuseForAMoment(Cluster cluster) {
        redis(cluster, "CONFIG SET maxmemory 1");
        LockSupport.parkNanos(Duration.ofSeconds(1).toNanos());
        redis(cluster, "CONFIG SET maxmemory 0");
    }

    private String stream() {
        return STREAMS.get(choice % STREAMS.size());
    }

    private static void deleteConsumers(Cluster cluster) {
        try {
            List<String> consumers = PlainRedis.ask(cluster.redisUrl(), "XINFO CONSUMERS {default}:normal workers");
            for (int i = 0; i + 2 < consumers.size(); i++) {
                if (consumers.get(i).equals("name")) {
                    redis(cluster, "XGROUP DELCONSUMER {default}:normal workers " + consumers.get(i + 2));
                }
            }
        } catch (IllegalStateException | UncheckedIOException isDown) {
            // another fault is under way
        }
    }

    /** The ids of jobs in every state are put on a stream again: a delivery grants nothing. */
    private void duplicate(Cluster cluster) {
        try (var connection = TestServers.connect(cluster.databaseUrl());
                var statement = connection.createStatement();
                var row = statement.executeQuery("select id from job order by id desc limit 100")) {
            while (row.next()) {
                redis(cluster, "XADD " + stream() + " * j " + row.getString(1));
            }
        } catch (java.sql.SQLException isDown) {
            // another fault is under way
        }
    }

    private static void copyRedis(Cluster cluster) {
        try {
            cluster.servers().copyRedis();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void rollBackRedis(Cluster cluster) {
        try {
            cluster.servers().rollBackRedis();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Redis may be away because of another fault. */
    private static void redis(Cluster cluster, String... commands) {
        try {
            PlainRedis.ask(cluster.redisUrl(), commands);
        } catch (IllegalStateException | UncheckedIOException isDown) {
            // nothing to be done to it, then
        }
    }

    private static void sql(Cluster cluster, String sql) {
        try (var connection = TestServers.connect(cluster.databaseUrl());
                var statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (java.sql.SQLException isDown) {
            // as above
        }
    }
}
