package io.millrace.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

import io.millrace.support.PlainRedis;
import io.millrace.support.TestServers;

/** What it costs to have nothing to do, with what the parts before have left in the table, vacuumed. */
record Idle(Stack stack) implements Part {

    /** Statistics of PostgreSQL may come so late from a connection that does nothing. */
    private static final Duration QUIET_BEFORE = Duration.ofSeconds(11);
    private static final Duration TIME = Duration.ofSeconds(20);
    private static final Duration LOOK_EVERY = Duration.ofSeconds(1);
    /** The last look may come late. */
    private static final Duration GRACE = Duration.ofSeconds(5);
    private static final int TOP_COMMANDS = 5;
    private static final Set<String> OWN_COMMANDS = Set.of("info", "quit");
    private static final double BYTES_PER_MB = 1_000_000;

    private record Look(long nanos, Cpu cpu, Map<String, Long> redisCalls, Map<String, Long> postgres) {}

    @Override
    public String name() {
        return "idle";
    }

    @Override
    public void run(Report report) throws Exception {
        stack.awaitIdle();
        stack.execute("vacuum (analyze) job");
        stack.execute("checkpoint");
        watch(QUIET_BEFORE);
        Look before = look();
        watch(TIME);
        Look after = look();
        double seconds = (after.nanos - before.nanos) / 1e9;

        Cpu cpu = after.cpu.minus(before.cpu);
        report.add("idle: CPU of the api", "% of a core", 100 * cpu.api() / seconds);
        report.add("idle: CPU of the worker", "% of a core", 100 * cpu.worker() / seconds);
        report.add("idle: CPU of Redis", "% of a core", 100 * cpu.redis() / seconds);
        report.add("idle: CPU of PostgreSQL", "% of a core", 100 * cpu.postgres() / seconds);
        reportCommands(report, difference(before.redisCalls, after.redisCalls), seconds);
        difference(before.postgres, after.postgres).forEach((what, count) -> report.add(what,
                what.endsWith("transactions") ? "/s" : "in " + TIME.toSeconds() + " s",
                what.endsWith("transactions") ? count / seconds : count));
        report.add("idle: memory of the api (RSS)", "MB", residentBytes(stack.api().pid()) / BYTES_PER_MB);
        report.add("idle: memory of the worker (RSS)", "MB", residentBytes(stack.worker().pid()) / BYTES_PER_MB);
    }

    /** Does nothing for so long but see that both processes live: one that has ended would cost nothing. Asks no server. */
    private void watch(Duration time) {
        Stack.await().pollInterval(LOOK_EVERY).during(time).atMost(time.plus(GRACE))
                .until(() -> stack.api().isAlive() && stack.worker().isAlive());
    }

    private static void reportCommands(Report report, Map<String, Long> calls, double seconds) {
        report.add("idle: Redis commands, with those in scripts", "/s",
                calls.values().stream().mapToLong(count -> count).sum() / seconds);
        calls.entrySet().stream().sorted(Map.Entry.<String, Long>comparingByValue(Comparator.reverseOrder()))
                .limit(TOP_COMMANDS)
                .forEach(call -> report.add("idle: Redis, " + call.getKey(), "/s", call.getValue() / seconds));
    }

    private Look look() throws SQLException {
        return new Look(System.nanoTime(), stack.cpu(), redisCalls(), postgres());
    }

    private Map<String, Long> redisCalls() {
        Map<String, Long> calls = new HashMap<>();
        for (String line : PlainRedis.ask(stack.redisUrl(), "INFO commandstats")) {
            if (line.startsWith("cmdstat_")) {
                String command = line.substring("cmdstat_".length(), line.indexOf(':'));
                String count = line.substring(line.indexOf("calls=") + "calls=".length(), line.indexOf(','));
                if (!OWN_COMMANDS.contains(command)) {
                    calls.put(command, Long.parseLong(count));
                }
            }
        }
        return calls;
    }

    /** Counted by PostgreSQL; the connection is new, so what it asks here is added after it has been asked. */
    private Map<String, Long> postgres() throws SQLException {
        Map<String, Long> counts = new TreeMap<>();
        try (Connection database = TestServers.connect(stack.databaseUrl());
                Statement statement = database.createStatement()) {
            add(counts, statement, "select 'idle: PostgreSQL, transactions', xact_commit + xact_rollback from pg_stat_database"
                    + " where datname = current_database()");
            add(counts, statement,
                    "select 'idle: PostgreSQL, sequential scans of ' || relname, seq_scan from pg_stat_user_tables");
            add(counts, statement, "select 'idle: PostgreSQL, rows read in scans of ' || relname, seq_tup_read"
                    + " from pg_stat_user_tables");
        }
        return counts;
    }

    private static void add(Map<String, Long> counts, Statement statement, String sql) throws SQLException {
        try (ResultSet rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                counts.put(rows.getString(1), rows.getLong(2));
            }
        }
    }

    /** Without what has not changed, but always with the table of the jobs. */
    private static Map<String, Long> difference(Map<String, Long> before, Map<String, Long> after) {
        Map<String, Long> changed = new TreeMap<>();
        after.forEach((what, count) -> {
            long more = count - before.getOrDefault(what, 0L);
            if (more != 0 || what.endsWith(" of job")) {
                changed.put(what, more);
            }
        });
        return changed;
    }

    /** @return not a number where there is no {@code /proc} */
    private static double residentBytes(long pid) throws IOException {
        Path status = Path.of("/proc", Long.toString(pid), "status");
        List<String> lines = Files.exists(status) ? Files.readAllLines(status) : List.of();
        return lines.stream().filter(line -> line.startsWith("VmRSS:"))
                .mapToDouble(line -> Double.parseDouble(line.replaceAll("\\D", "")) * 1_024).findFirst().orElse(Double.NaN);
    }
}
