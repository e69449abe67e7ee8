package io.millrace.bench;

import java.sql.SQLException;
import java.time.Duration;

/**
 * What a job takes up: in Redis while it waits, in PostgreSQL while it waits and when it has ended; and how many claims found
 * room for the new version of their row on its page, and left the indexes alone.
 *
 * @param jobs at most the dispatch window of 100,000: a job beyond takes nothing in Redis
 */
record Footprint(Stack stack, ClosedLoop http, int jobs) implements Part {

    private static final Duration STEADY_LIMIT = Duration.ofSeconds(20);
    /** A connection that does nothing tells what it has done after 10 s. */
    private static final Duration COUNT_LIMIT = Duration.ofSeconds(30);

    /** All by job, in bytes. */
    record Space(double table, double indexes, double rest) {}

    /** @param heapOnlyClaims share of the claims that changed no index: 0 to 1 */
    record Result(double redisBytes, Space queued, Space ended, Sample drain, double heapOnlyClaims) {}

    private record Updates(long all, long heapOnly) {}

    @Override
    public String name() {
        return "bytes";
    }

    @Override
    public void run(Report report) throws Exception {
        Result result = measure();
        report.add("Redis, queued", "B/job", result.redisBytes());
        report(report, "queued", result.queued());
        report(report, "ended", result.ended());
        report.add("claims that change no index (HOT)", "%", 100 * result.heapOnlyClaims());
    }

    Result measure() throws Exception {
        stack.empty();
        Updates updates = updates();
        Backlog backlog = new Backlog(stack, http, jobs);
        backlog.hold();
        long before = usedMemory();
        IdHash ids = backlog.fill();
        double redisBytes = (usedMemory() - before) / (double) jobs;
        Space queued = space();
        Sample drain = stack.measure(() -> {
            backlog.release();
            return ids.count();
        });
        backlog.verify(name(), ids);
        Space ended = space();
        return new Result(redisBytes, queued, ended, drain, heapOnlyClaims(updates));
    }

    private static void report(Report report, String when, Space space) {
        report.add("PostgreSQL, table, " + when, "B/job", space.table());
        report.add("PostgreSQL, indexes, " + when, "B/job", space.indexes());
        report.add("PostgreSQL, TOAST and maps, " + when, "B/job", space.rest());
    }

    /** Buffers of connections and of the AOF come and go: waits until they have gone. */
    private long usedMemory() {
        long[] last = {0};
        Stack.await().pollInterval(Duration.ofMillis(500)).atMost(STEADY_LIMIT).until(() -> {
            long now = Long.parseLong(stack.redisInfo("used_memory"));
            boolean isSteady = Math.abs(now - last[0]) < jobs / 2;
            last[0] = now;
            return isSteady;
        });
        return last[0];
    }

    private Space space() throws SQLException {
        double table = size("pg_relation_size('job')");
        double indexes = size("pg_indexes_size('job')");
        return new Space(table, indexes, size("pg_total_relation_size('job')") - table - indexes);
    }

    private double size(String function) throws SQLException {
        return Long.parseLong(stack.ask("select " + function)) / (double) jobs;
    }

    /** A settle is never heap-only, because it takes the row out of an index: so all those that are, are claims. */
    private double heapOnlyClaims(Updates before) {
        Updates[] after = {null};
        Stack.await().pollInterval(Duration.ofMillis(250)).atMost(COUNT_LIMIT).until(() -> {
            after[0] = updates();
            return after[0].all() - before.all() >= 2L * jobs;
        });
        return Math.min(1, (after[0].heapOnly() - before.heapOnly()) / (double) jobs);
    }

    private Updates updates() throws SQLException {
        String[] counts = stack.ask("select n_tup_upd || ' ' || n_tup_hot_upd from pg_stat_user_tables where relname = 'job'")
                .split(" ");
        return new Updates(Long.parseLong(counts[0]), Long.parseLong(counts[1]));
    }
}
