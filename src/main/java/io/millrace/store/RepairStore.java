package io.millrace.store;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

import jakarta.inject.Singleton;

import io.millrace.job.JobState;
import io.millrace.job.Priority;
import io.smallrye.mutiny.Uni;
import io.vertx.core.json.JsonObject;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.Tuple;

/** Finds jobs that a crash, or a Redis that forgot, has left behind, and those that nobody needs any more. */
@Singleton
public class RepairStore {
    private static final String REAP = SqlFile.read("reap_jobs");
    private static final String RECONCILE_PENDING = SqlFile.read("reconcile_pending");
    private static final String RECONCILE_WAITING = SqlFile.read("reconcile_waiting");
    private static final String DELETE_ENDED = SqlFile.read("delete_ended_jobs");

    private final Database database;

    RepairStore(Database database) {
        this.database = database;
    }

    /**
     * A job taken back from a worker that fell silent.
     *
     * @param state PENDING, or FAILED if too many workers died of it, or CANCELLED if someone had asked for that
     */
    public record Reaped(UUID id, String queue, Priority priority, JobState state) {}

    /** Takes back up to {@code limit} jobs whose lease ran out. */
    public Uni<List<Reaped>> reap(int limit, int lostLimit) {
        return database.run(REAP, Tuple.of(limit, lostLimit)).map(rows -> {
            List<Reaped> reaped = new ArrayList<>(rows.size());
            rows.forEach(row -> reaped.add(new Reaped(row.getUUID(0), row.getString(1), Priority.ofCode(row.getShort(2)),
                    JobState.valueOf(row.getString(3)))));
            return reaped;
        });
    }

    /**
     * Leaves ready jobs that stand on no stream any more to the relay.
     *
     * @param oldestEpochMs no undelivered entry of the stream is older
     * @return how many, at most {@code limit}
     */
    public Uni<Integer> reconcilePending(String queue, Priority priority, long oldestEpochMs, Duration margin, int limit) {
        return reconcile(RECONCILE_PENDING, queue, priority, oldestEpochMs, margin, limit);
    }

    /** The same for waiting jobs that are overdue. */
    public Uni<Integer> reconcileWaiting(String queue, Priority priority, long oldestEpochMs, Duration margin, int limit) {
        return reconcile(RECONCILE_WAITING, queue, priority, oldestEpochMs, margin, limit);
    }

    private Uni<Integer> reconcile(String sql, String queue, Priority priority, long oldestEpochMs, Duration margin,
            int limit) {
        return database.run(sql, Tuple.of(queue, (short) priority.code(), oldestEpochMs, margin.toMillis(), limit))
                .map(RowSet::rowCount);
    }

    /** How many jobs of one queue and state are gone. */
    public record Deleted(String queue, JobState state, int count) {}

    /** @param lowest the lowest id that was looked at; null if none was */
    public record Deletion(int lookedAt, UUID lowest, List<Deleted> deleted) {}

    /**
     * Looks at up to {@code limit} jobs, from the greatest id down, and deletes those that ended long enough ago.
     *
     * @param below only lower ids
     * @param downTo no lower ids
     * @param keepMs how long, by {@code queue/STATE}, else by {@code STATE}; what is in neither is kept
     */
    public Uni<Deletion> deleteEnded(UUID below, UUID downTo, int limit, Map<String, Long> keepMs) {
        String keep = new JsonObject(new HashMap<>(keepMs)).encode();
        return database.run(DELETE_ENDED, Tuple.of(below, downTo, limit, keep)).map(rows -> {
            List<Deleted> deleted = new ArrayList<>(rows.size());
            Row any = rows.iterator().next();
            rows.forEach(row -> {
                if (row.getString(2) != null) {
                    deleted.add(new Deleted(row.getString(2), JobState.valueOf(row.getString(3)), row.getInteger(4)));
                }
            });
            return new Deletion(any.getInteger(0), any.getUUID(1), deleted);
        });
    }
}
