package io.millrace.bench;

import java.sql.SQLException;
import java.time.Duration;

/** What a job takes up: in Redis while it waits, in PostgreSQL while it waits and when it has ended. */
record Footprint(Stack stack, ClosedLoop http) implements Part {

    /** All of them on the stream: a job beyond the dispatch window takes nothing in Redis. */
    private static final int JOBS = 100_000;
    private static final Duration STEADY_LIMIT = Duration.ofSeconds(20);

    @Override
    public String name() {
        return "bytes";
    }

    @Override
    public void run(Report report) throws Exception {
        stack.empty();
        Backlog backlog = new Backlog(stack, http, JOBS);
        backlog.hold();
        long before = usedMemory();
        IdHash ids = backlog.fill();
        report.add("Redis, queued", "B/job", (usedMemory() - before) / (double) JOBS);
        reportTable(report, "queued");
        backlog.release();
        backlog.verify(name(), ids);
        reportTable(report, "ended");
    }

    /** Buffers of connections and of the AOF come and go: waits until they have gone. */
    private long usedMemory() {
        long[] last = {0};
        Stack.await().pollInterval(Duration.ofMillis(500)).atMost(STEADY_LIMIT).until(() -> {
            long now = Long.parseLong(stack.redisInfo("used_memory"));
            boolean isSteady = Math.abs(now - last[0]) < JOBS / 2;
            last[0] = now;
            return isSteady;
        });
        return last[0];
    }

    private void reportTable(Report report, String when) throws SQLException {
        reportSize(report, "table, " + when, "pg_relation_size('job')");
        reportSize(report, "indexes, " + when, "pg_indexes_size('job')");
        reportSize(report, "TOAST, maps, " + when, "pg_table_size('job') - pg_relation_size('job')");
    }

    private void reportSize(Report report, String what, String size) throws SQLException {
        report.add("PostgreSQL, " + what, "B/job", Long.parseLong(stack.ask("select " + size)) / (double) JOBS);
    }
}
