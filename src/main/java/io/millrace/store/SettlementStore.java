package io.millrace.store;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;

import jakarta.inject.Singleton;

import io.millrace.job.Artifact;
import io.millrace.job.Lease;
import io.millrace.job.Settlement;
import io.smallrye.mutiny.Uni;
import io.vertx.core.buffer.Buffer;
import io.vertx.pgclient.PgException;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.Tuple;

/**
 * Records how attempts ended. Every statement is guarded by the lease: a worker that lost it changes nothing.
 *
 * <p>
 * Each method answers a map with an entry for every job it recorded. A job that is missing was not recorded, because its lease
 * was lost.
 */
@Singleton
public class SettlementStore {
    private static final String COMPLETE = SqlFile.read("settle_complete");
    private static final String COMPLETE_WITH_ARTIFACTS = SqlFile.read("settle_complete_with_artifacts");
    private static final String RETRY = SqlFile.read("settle_retry");
    private static final String POSTPONE = SqlFile.read("settle_postpone");
    private static final String DEAD_LETTER = SqlFile.read("settle_dead_letter");
    private static final String RELEASE = SqlFile.read("settle_release");
    private static final String CANCEL = SqlFile.read("settle_cancel");

    /** A lease and what to write about its attempt. */
    public record Entry<S extends Settlement>(Lease lease, S settlement) {}

    /**
     * What was recorded of a job.
     *
     * @param epoch of the attempt that was recorded
     * @param dueEpochMs when the job may run again, by the clock of PostgreSQL, rounded up; 0 if it does not
     */
    public record Recorded(int epoch, long dueEpochMs) {}

    private final Database database;

    SettlementStore(Database database) {
        this.database = database;
    }

    /** @return true if PostgreSQL refused the write, and would refuse it again */
    public static boolean isRefusedForGood(Throwable failure) {
        return failure instanceof PgException && !Database.isUnavailable(failure);
    }

    /** @return true if the write was refused, with no effect, because of a value in it */
    public static boolean isFaultOfASettlement(Throwable failure) {
        return Database.isFaultOfAValue(failure);
    }

    /** For entries without artifacts. */
    public Uni<Map<UUID, Recorded>> settleComplete(List<Entry<Settlement.Complete>> entries) {
        return record(COMPLETE, leases(entries).addValue(column(entries, String.class, Settlement.Complete::result)));
    }

    public Uni<Map<UUID, Recorded>> settleCompleteWithArtifacts(Entry<Settlement.Complete> entry) {
        List<Artifact> artifacts = entry.settlement().artifacts();
        return record(COMPLETE_WITH_ARTIFACTS,
                Tuple.of(entry.lease().jobId(), entry.lease().epoch(), entry.lease().leaseId(), entry.settlement().result())
                        .addValue(artifacts.stream().map(Artifact::name).toArray(String[]::new))
                        .addValue(artifacts.stream().map(Artifact::contentType).toArray(String[]::new))
                        .addValue(artifacts.stream().map(a -> Buffer.buffer(a.bytes())).toArray(Buffer[]::new)));
    }

    public Uni<Map<UUID, Recorded>> settleRetry(List<Entry<Settlement.RetryAfter>> entries) {
        return record(RETRY, leases(entries).addValue(column(entries, String.class, s -> JsonColumns.write(s.failure())))
                .addValue(column(entries, Long.class, s -> s.delay().toMillis())));
    }

    public Uni<Map<UUID, Recorded>> settlePostpone(List<Entry<Settlement.Postpone>> entries) {
        return record(POSTPONE, leases(entries).addValue(column(entries, Long.class, s -> s.delay().toMillis())));
    }

    public Uni<Map<UUID, Recorded>> settleDeadLetter(List<Entry<Settlement.DeadLetter>> entries) {
        return record(DEAD_LETTER,
                leases(entries).addValue(column(entries, String.class, s -> JsonColumns.write(s.failure()))));
    }

    public Uni<Map<UUID, Recorded>> settleRelease(List<Entry<Settlement.Release>> entries) {
        return record(RELEASE, leases(entries));
    }

    public Uni<Map<UUID, Recorded>> settleCancel(List<Entry<Settlement.Cancel>> entries) {
        return record(CANCEL, leases(entries));
    }

    private Uni<Map<UUID, Recorded>> record(String sql, Tuple parameters) {
        return database.run(sql, parameters).map(SettlementStore::recorded);
    }

    private static Map<UUID, Recorded> recorded(RowSet<Row> rows) {
        Map<UUID, Recorded> recorded = new HashMap<>(rows.size() * 2);
        for (Row row : rows) {
            recorded.put(row.getUUID(0), new Recorded(row.getInteger(1), row.size() > 2 ? row.getLong(2) : 0));
        }
        return recorded;
    }

    private static Tuple leases(List<? extends Entry<?>> entries) {
        int n = entries.size();
        UUID[] ids = new UUID[n];
        Integer[] epochs = new Integer[n];
        UUID[] leaseIds = new UUID[n];
        for (int i = 0; i < n; i++) {
            Lease lease = entries.get(i).lease();
            ids[i] = lease.jobId();
            epochs[i] = lease.epoch();
            leaseIds[i] = lease.leaseId();
        }
        return Tuple.tuple().addValue(ids).addValue(epochs).addValue(leaseIds);
    }

    @SuppressWarnings("unchecked")
    private static <S extends Settlement, C> C[] column(List<Entry<S>> entries, Class<C> type, Function<S, C> value) {
        C[] column = (C[]) java.lang.reflect.Array.newInstance(type, entries.size());
        for (int i = 0; i < column.length; i++) {
            column[i] = value.apply(entries.get(i).settlement());
        }
        return column;
    }
}
