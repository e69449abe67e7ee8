package io.millrace.store;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

import jakarta.inject.Singleton;

import io.smallrye.mutiny.Uni;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.Tuple;

/** Counts jobs, by index and up to a bound. */
@Singleton
public class CensusStore {
    private static final String FIND_KNOWN_QUEUES = SqlFile.read("find_known_queues");
    private static final String COUNT_QUEUE = SqlFile.read("count_queue");
    private static final String COUNT_WAITING = SqlFile.read("count_waiting");

    private final Database database;

    CensusStore(Database database) {
        this.database = database;
    }

    /** @return the names of at most {@code limit} queues that have ready, running or given up jobs */
    public Uni<Set<String>> findKnownQueues(int limit) {
        return database.run(FIND_KNOWN_QUEUES, Tuple.of(limit)).map(rows -> {
            Set<String> queues = new HashSet<>();
            rows.forEach(row -> queues.add(row.getString(0)));
            return queues;
        });
    }

    /** @param readyAge seconds since the one that has waited longest could run; 0 if none is ready */
    public record Open(long ready, long running, double readyAge, long dead) {}

    /**
     * @param limit most jobs counted of each priority on the stream, and again of those on none
     * @param deadLimit most dead letters counted
     */
    public Uni<Open> countQueue(String queue, int limit, int deadLimit) {
        return database.run(COUNT_QUEUE, Tuple.of(queue, limit, deadLimit)).map(rows -> {
            Row row = rows.iterator().next();
            Double age = row.getDouble(2);
            return new Open(row.getLong(0), row.getLong(1), age == null ? 0 : Math.max(0, age), row.getLong(3));
        });
    }

    /** @param overdueAge seconds since the first of the overdue was due; 0 if none is */
    public record Waiting(long waiting, long overdue, double overdueAge) {}

    /** @return by queue, the jobs that are due next, at most {@code limit} */
    public Uni<Map<String, Waiting>> countWaiting(int limit) {
        return database.run(COUNT_WAITING, Tuple.of(limit)).map(rows -> {
            Map<String, Waiting> byQueue = new HashMap<>();
            rows.forEach(row -> byQueue.put(row.getString(0),
                    new Waiting(row.getLong(1), row.getLong(2), Math.max(0, row.getDouble(3)))));
            return byQueue;
        });
    }
}
