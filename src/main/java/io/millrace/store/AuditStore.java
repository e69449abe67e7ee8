package io.millrace.store;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

import jakarta.inject.Singleton;

import io.smallrye.mutiny.Uni;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.Tuple;

/** Reads the audit log, and deletes what is old. It is written by what it tells of. */
@Singleton
public class AuditStore {
    private static final String LIST = SqlFile.read("list_audit");
    private static final String DELETE_OLD = SqlFile.read("delete_old_audit");

    private final Database database;

    AuditStore(Database database) {
        this.database = database;
    }

    /**
     * A row, as it was written.
     *
     * @param details JSON, or null
     */
    public record Line(UUID id, Instant at, String actorKind, String actor, UUID actorId, String action, String target,
            String outcome, String address, String requestId, String details) {}

    /**
     * What to list. A filter that is null does not filter.
     *
     * @param behind newest first, starting behind this id
     * @param notBefore nothing older than this id
     */
    public record Filter(UUID behind, UUID notBefore, String action, String actor, String target, int limit) {}

    public Uni<List<Line>> list(String tenant, Filter filter) {
        Tuple parameters = Tuple.tuple().addString(tenant).addUUID(filter.behind()).addUUID(filter.notBefore())
                .addString(filter.action()).addString(filter.actor()).addString(filter.target()).addInteger(filter.limit());
        return database.query(LIST, parameters).map(rows -> {
            List<Line> lines = new ArrayList<>(rows.size());
            rows.forEach(row -> lines.add(new Line(row.getUUID("id"), row.getOffsetDateTime("at").toInstant(),
                    row.getString("actor_kind"), row.getString("actor"), row.getUUID("actor_id"), row.getString("action"),
                    row.getString("target"), row.getString("outcome"), row.getString("address"), row.getString("request_id"),
                    row.getString("details"))));
            return lines;
        });
    }

    /**
     * @param lowestKept rows with lower ids are old
     * @return how many were deleted, at most {@code limit}
     */
    public Uni<Integer> deleteOld(UUID lowestKept, int limit) {
        return database.run(DELETE_OLD, Tuple.of(lowestKept, limit)).map(RowSet::rowCount);
    }
}
