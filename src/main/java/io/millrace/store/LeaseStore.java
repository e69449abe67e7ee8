package io.millrace.store;

import java.time.Duration;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

import io.millrace.job.Lease;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;

/**
 * Keeps leases alive, on a connection and an event loop of its own, so that neither a full pool nor a busy loop makes a
 * healthy worker look dead.
 */
public final class LeaseStore {
    private static final String RENEW = SqlFile.read("renew_leases");

    private final Vertx vertx;
    private final DatabaseConfig config;
    private volatile Future<SqlConnection> connection;

    /** @param vertx the event loop to use; not the one that jobs are served on */
    public LeaseStore(Vertx vertx, DatabaseConfig config) {
        this.vertx = vertx;
        this.config = config;
    }

    /**
     * Renews leases; one call at a time.
     *
     * @param lease from now
     * @return an entry for each lease that still holds: true if the job should stop because someone cancelled it
     */
    public Uni<Map<UUID, Boolean>> renew(Collection<Lease> leases, Duration lease) {
        // In the order in which settling locks rows, so that the two never wait for each other in a circle.
        List<Lease> ordered = leases.stream().sorted(Comparator.comparing(Lease::jobId)).toList();
        Tuple parameters = Tuple.tuple().addValue(ordered.stream().map(Lease::jobId).toArray(UUID[]::new))
                .addValue(ordered.stream().map(Lease::epoch).toArray(Integer[]::new))
                .addValue(ordered.stream().map(Lease::leaseId).toArray(UUID[]::new)).addLong(lease.toMillis());
        return Database.uni(() -> connected().compose(open -> open.preparedQuery(RENEW).execute(parameters)))
                .map(rows -> {
                    Map<UUID, Boolean> held = new HashMap<>(rows.size() * 2);
                    rows.forEach(row -> held.put(row.getUUID(0), row.getBoolean(2)));
                    return held;
                });
    }

    /** Gives the connection up, for example after it did not answer: the next call opens another. */
    public void disconnect() {
        Future<SqlConnection> old = connection;
        connection = null;
        if (old != null) {
            old.onSuccess(SqlConnection::close); // one that is still being opened, too
        }
    }

    private Future<SqlConnection> connected() {
        if (connection == null) {
            Future<SqlConnection> opening = Database.connectAlone(vertx, config);
            connection = opening;
            opening.onFailure(failure -> forget(opening))
                    .onSuccess(opened -> opened.closeHandler(closed -> forget(opening)));
        }
        return connection;
    }

    private void forget(Future<SqlConnection> gone) {
        if (connection == gone) {
            connection = null;
        }
    }
}
