package io.millrace.store;

import java.time.Duration;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

import jakarta.inject.Singleton;

import io.millrace.audit.AuditEntry;
import io.millrace.job.ClaimedJob;
import io.millrace.job.JobState;
import io.millrace.job.Lease;
import io.millrace.job.NewJob;
import io.millrace.job.Priority;
import io.millrace.job.StoredJob;
import io.smallrye.mutiny.Uni;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.Tuple;

/** Accepts jobs, grants the right to run them, and finds those that are on no stream. All statements take whole batches. */
@Singleton
public class JobStore {
    private static final String INSERT = SqlFile.read("insert_jobs");
    private static final String UNDISPATCH = SqlFile.read("undispatch_jobs");
    private static final String CANCEL = SqlFile.read("cancel_job");
    private static final String REPLAY = SqlFile.read("replay_job");
    private static final String CLAIM = SqlFile.read("claim_jobs");
    private static final String CLAIM_STUCK = SqlFile.read("claim_stuck_jobs");
    private static final String LOOK_UP = SqlFile.read("look_up_jobs");
    private static final String RELAY = SqlFile.read("relay_jobs");
    private static final String FIND_WAITING_QUEUES = SqlFile.read("find_waiting_queues");
    private static final String FIND_DUE = SqlFile.read("find_due_jobs");

    private final Database database;

    JobStore(Database database) {
        this.database = database;
    }

    /** A job to insert, and whether its id will be put on the stream right after, if it is due. */
    public record Insert(NewJob job, boolean dispatch) {}

    /** @return what became of each; fails, with no effect, if an id was there before */
    public Uni<Map<UUID, StoredJob>> insert(List<Insert> inserts) {
        return database.run(INSERT, columns(inserts)).map(JobStore::storedJobs);
    }

    /** The parameters $1 to $12 of an insert. */
    static Tuple columns(List<Insert> inserts) {
        int n = inserts.size();
        UUID[] ids = new UUID[n];
        String[] tenants = new String[n];
        String[] queues = new String[n];
        String[] types = new String[n];
        Short[] priorities = new Short[n];
        String[] payloads = new String[n];
        String[] options = new String[n];
        String[] tags = new String[n];
        Integer[] maxAttempts = new Integer[n];
        OffsetDateTime[] runAts = new OffsetDateTime[n];
        Long[] delays = new Long[n];
        Boolean[] dispatches = new Boolean[n];
        for (int i = 0; i < n; i++) {
            NewJob job = inserts.get(i).job();
            ids[i] = job.id();
            tenants[i] = job.tenant();
            queues[i] = job.queue();
            types[i] = job.type();
            priorities[i] = (short) job.priority().code();
            payloads[i] = job.payload();
            options[i] = JsonColumns.write(job.options());
            tags[i] = arrayLiteral(job.tags());
            maxAttempts[i] = job.maxAttempts();
            runAts[i] = job.runAt() == null ? null : job.runAt().atOffset(ZoneOffset.UTC);
            delays[i] = job.delay() == null ? null : job.delay().toMillis();
            dispatches[i] = inserts.get(i).dispatch();
        }
        return Tuple.tuple().addValue(ids).addValue(tenants).addValue(queues).addValue(types).addValue(priorities)
                .addValue(payloads).addValue(options).addValue(tags).addValue(maxAttempts).addValue(runAts).addValue(delays)
                .addValue(dispatches);
    }

    /** @return true if the insert was refused, with no effect, because of a value in it */
    public static boolean isFaultOfAJob(Throwable failure) {
        return Database.isFaultOfAValue(failure);
    }

    /**
     * Cancels a job that has not ended.
     *
     * @param entry who wants it; written if anything comes of it
     * @return CANCELLED; or PROCESSING if it runs and its worker will be told; null if it has ended or the tenant has no such job
     */
    public Uni<JobState> cancel(String tenant, UUID id, AuditEntry entry) {
        return database.run(CANCEL, Tuple.of(tenant, id, entry.json()))
                .map(rows -> rows.size() == 0 ? null : JobState.valueOf(rows.iterator().next().getString(0)));
    }

    /** The stream a replayed job belongs on. */
    public record Replayed(String queue, Priority priority) {}

    /**
     * Makes a job that was given up or cancelled ready again.
     *
     * @param payload JSON; null to keep the one it has
     * @param dispatch true if the caller puts the id on the stream right after this
     * @param entry who wants it; written if anything comes of it
     * @return null if it is in another state, for example because somebody else was faster, or the tenant has no such job
     */
    public Uni<Replayed> replay(String tenant, UUID id, String payload, boolean dispatch, AuditEntry entry) {
        return database.run(REPLAY, Tuple.of(tenant, id, payload, dispatch, entry.json())).map(rows -> {
            if (rows.size() == 0) {
                return null;
            }
            Row row = rows.iterator().next();
            return new Replayed(row.getString(0), Priority.ofCode(row.getShort(1)));
        });
    }

    /** Takes the mark off jobs that did not reach the stream after all. */
    public Uni<Integer> undispatch(Collection<UUID> ids) {
        return database.run(UNDISPATCH, ids(ids)).map(RowSet::rowCount);
    }

    /**
     * Takes jobs for a worker; none whose lease ran out.
     *
     * @param leaseId new for each batch; the same again if the answer to the first try was lost
     * @return the jobs that may run now
     */
    public Uni<Map<UUID, ClaimedJob>> claim(Collection<UUID> ids, UUID leaseId, String worker, Duration lease) {
        return claim(CLAIM, leaseId, ids(ids).addUUID(leaseId).addString(worker).addLong(lease.toMillis()));
    }

    /**
     * The same for jobs that were delivered before and never finished: one whose lease ran out is taken too, and the attempt it
     * was held for is recorded as lost.
     *
     * @param lostLimit a job that would lose its lease for the so many-th time is left to the reaper
     */
    public Uni<Map<UUID, ClaimedJob>> claimStuck(Collection<UUID> ids, UUID leaseId, String worker, Duration lease,
            int lostLimit) {
        return claim(CLAIM_STUCK, leaseId,
                ids(ids).addUUID(leaseId).addString(worker).addLong(lease.toMillis()).addInteger(lostLimit));
    }

    private Uni<Map<UUID, ClaimedJob>> claim(String sql, UUID leaseId, Tuple parameters) {
        return database.run(sql, parameters).map(rows -> {
            Map<UUID, ClaimedJob> claimed = new HashMap<>(rows.size() * 2);
            for (Row row : rows) {
                ClaimedJob job = claimedJob(row, leaseId);
                claimed.put(job.id(), job);
            }
            return claimed;
        });
    }

    /**
     * Where a job stands.
     *
     * @param dueEpochMs when it may run, by the clock of PostgreSQL, rounded up
     * @param waitMs until then, which is the same by any clock; negative if it is due
     */
    public record Standing(UUID id, JobState state, int epoch, long dueEpochMs, long waitMs) {}

    /** @return where these jobs stand; unknown ones are missing */
    public Uni<Map<UUID, Standing>> lookUp(Collection<UUID> ids) {
        return database.run(LOOK_UP, ids(ids)).map(rows -> {
            Map<UUID, Standing> standings = new HashMap<>(rows.size() * 2);
            for (Row row : rows) {
                Standing standing = new Standing(row.getUUID(0), JobState.valueOf(row.getString(1)), row.getInteger(2),
                        row.getLong(3), row.getLong(4));
                standings.put(standing.id(), standing);
            }
            return standings;
        });
    }

    /**
     * Marks up to {@code limit} ready jobs of one stream as dispatched; the caller puts them there.
     *
     * @param behind only jobs with a greater id
     */
    public Uni<List<UUID>> relay(String queue, Priority priority, int limit, UUID behind) {
        return database.run(RELAY, Tuple.of(queue, (short) priority.code(), limit, behind)).map(rows -> {
            List<UUID> taken = new ArrayList<>(rows.size());
            rows.forEach(row -> taken.add(row.getUUID(0)));
            return taken;
        });
    }

    /** @return the names of at most {@code limit} queues that have ready jobs on no stream */
    public Uni<List<String>> findWaitingQueues(int limit) {
        return database.run(FIND_WAITING_QUEUES, Tuple.of(limit)).map(rows -> {
            List<String> queues = new ArrayList<>(rows.size());
            rows.forEach(row -> queues.add(row.getString(0)));
            return queues;
        });
    }

    /** A waiting job that is due soon. */
    public record Due(UUID id, String queue, Priority priority, OffsetDateTime runAt, long dueEpochMs) {}

    /** @return the next jobs due within {@code lookAhead}, soonest first, behind the given time and id */
    public Uni<List<Due>> findDue(Duration lookAhead, OffsetDateTime behind, UUID behindId, int limit) {
        Tuple parameters = Tuple.tuple().addLong(lookAhead.toMillis()).addOffsetDateTime(behind).addUUID(behindId)
                .addInteger(limit);
        return database.run(FIND_DUE, parameters).map(rows -> {
            List<Due> due = new ArrayList<>(rows.size());
            rows.forEach(row -> due.add(new Due(row.getUUID(0), row.getString(1), Priority.ofCode(row.getShort(2)),
                    row.getOffsetDateTime(3), row.getLong(4))));
            return due;
        });
    }

    // Not Tuple.of(array): it would spread the array over as many parameters.
    private static Tuple ids(Collection<UUID> ids) {
        return Tuple.tuple().addValue(ids.toArray(UUID[]::new));
    }

    /** Tags hold no quote and no backslash; the API sees to that. In quotes, because {@code {null}} holds no text. */
    private static String arrayLiteral(List<String> tags) {
        return tags.isEmpty() ? null : "{\"" + String.join("\",\"", tags) + "\"}";
    }

    private static Map<UUID, StoredJob> storedJobs(RowSet<Row> rows) {
        Map<UUID, StoredJob> stored = new HashMap<>(rows.size() * 2);
        for (Row row : rows) {
            UUID id = row.getUUID(0);
            stored.put(id, new StoredJob(id, JobState.valueOf(row.getString(1)), row.getOffsetDateTime(2).toInstant(),
                    row.getOffsetDateTime(3).toInstant()));
        }
        return stored;
    }

    private static ClaimedJob claimedJob(Row row, UUID leaseId) {
        return new ClaimedJob(new Lease(row.getUUID(0), row.getInteger(7), leaseId), row.getString(1), row.getString(2),
                row.getString(3), Priority.ofCode(row.getShort(4)), row.getString(5), JsonColumns.readOptions(row.getString(6)),
                row.getInteger(8), row.getInteger(9), row.getInteger(10), row.getBoolean(11), row.getLong(12));
    }
}
