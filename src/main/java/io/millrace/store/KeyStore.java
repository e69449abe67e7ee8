package io.millrace.store;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

import jakarta.inject.Singleton;

import io.millrace.job.JobKeys;
import io.millrace.job.JobState;
import io.millrace.job.Receipt;
import io.millrace.job.StoredJob;
import io.smallrye.mutiny.Uni;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.Tuple;

/** Accepts jobs that have keys: the only judge of whether one was handed in before. */
@Singleton
public class KeyStore {
    private static final String INSERT = SqlFile.read("insert_keyed_jobs");
    private static final String FIND = SqlFile.read("find_idempotency_keys");
    private static final String DELETE_EXPIRED = SqlFile.read("delete_expired_keys");
    private static final String UNIQUE_INDEX = "job_unique";

    private final Database database;

    KeyStore(Database database) {
        this.database = database;
    }

    /** @param acts true for one of the jobs of a batch with the same unique key */
    public record Insert(JobStore.Insert row, JobKeys keys, boolean acts) {}

    /**
     * Inserts what may be inserted, and keeps the keys with it: all or nothing.
     *
     * @param inserts in the order of their unique keys; no idempotency key twice
     * @param keep how long an idempotency key is kept
     * @return what became of each id; one that is missing has an idempotency key that is taken, or must be tried again. Fails, and
     *         has done nothing, if {@link #isOvertaken}
     */
    public Uni<Map<UUID, Receipt>> insert(List<Insert> inserts, Duration keep) {
        int n = inserts.size();
        String[] keys = new String[n];
        String[] hashes = new String[n];
        String[] uniqueKeys = new String[n];
        String[] onConflicts = new String[n];
        Boolean[] acts = new Boolean[n];
        for (int i = 0; i < n; i++) {
            JobKeys given = inserts.get(i).keys();
            keys[i] = given.idempotencyKey();
            hashes[i] = given.bodyHash();
            uniqueKeys[i] = given.uniqueKey();
            onConflicts[i] = given.onConflict() == null ? null : given.onConflict().label();
            acts[i] = inserts.get(i).acts();
        }
        Tuple parameters = JobStore.columns(inserts.stream().map(Insert::row).toList()).addValue(keys).addValue(hashes)
                .addLong(keep.toMillis()).addValue(uniqueKeys).addValue(onConflicts).addValue(acts);
        return database.run(INSERT, parameters).map(rows -> {
            Map<UUID, Receipt> receipts = new HashMap<>(rows.size() * 2);
            rows.forEach(row -> receipts.put(row.getUUID(0), receipt(row, 1)));
            return receipts;
        });
    }

    /** @return true if another batch brought a job with the unique key at the same moment: nothing was done, try again */
    public static boolean isOvertaken(Throwable failure) {
        return Database.violates(failure, UNIQUE_INDEX);
    }

    /** An idempotency key within its tenant. */
    public record TenantKey(String tenant, String key) {}

    /** @param bodyHash hex */
    public record Known(String bodyHash, Receipt receipt) {}

    /** @return what was answered before; a key that is free is missing */
    public Uni<Map<TenantKey, Known>> find(Collection<TenantKey> keys) {
        Tuple parameters = Tuple.tuple().addValue(keys.stream().map(TenantKey::tenant).toArray(String[]::new))
                .addValue(keys.stream().map(TenantKey::key).toArray(String[]::new));
        return database.run(FIND, parameters).map(rows -> {
            Map<TenantKey, Known> known = new HashMap<>(rows.size() * 2);
            rows.forEach(row -> known.put(new TenantKey(row.getString(0), row.getString(1)),
                    new Known(row.getString(2), receipt(row, 3))));
            return known;
        });
    }

    /** @return how many keys whose time is up were deleted, at most {@code limit} */
    public Uni<Integer> deleteExpired(int limit) {
        return database.run(DELETE_EXPIRED, Tuple.of(limit)).map(RowSet::rowCount);
    }

    /** @param at the column of the verdict; id, queue, state and times of the job follow */
    private static Receipt receipt(Row row, int at) {
        StoredJob job = new StoredJob(row.getUUID(at + 1), JobState.valueOf(row.getString(at + 3)),
                row.getOffsetDateTime(at + 4).toInstant(), row.getOffsetDateTime(at + 5).toInstant());
        return new Receipt(Receipt.Verdict.valueOf(row.getString(at)), row.getString(at + 2), job, false);
    }
}
