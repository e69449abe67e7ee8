package io.millrace.store;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;

import io.millrace.job.Settlement;
import io.millrace.support.TestConfig;
import io.smallrye.mutiny.Uni;
import io.vertx.pgclient.PgException;
import io.vertx.core.Vertx;

/** The engine's side of a database, without an application. */
public final class TestStores implements AutoCloseable {
    public final DatabaseConfig config;
    public final JobStore jobs;
    public final RepairStore repair;
    public final SettlementStore settlements;
    public final KeyStore keys;
    public final EffectStore effects;
    public final AuditStore audit;
    public final CensusStore census;
    private final Database database;

    public TestStores(Vertx vertx, String databaseUrl) {
        config = TestConfig.of(DatabaseConfig.class, Map.of("millrace.database.url", databaseUrl));
        database = new Database(vertx, config);
        jobs = new JobStore(database);
        repair = new RepairStore(database);
        settlements = new SettlementStore(database);
        keys = new KeyStore(database);
        effects = new EffectStore(database);
        audit = new AuditStore(database);
        census = new CensusStore(database);
    }

    /** The settlements of this database, whose first answer to a retry never arrives. @param writes counts them */
    public SettlementStore losingFirstAnswer(AtomicInteger writes) {
        return new SettlementStore(database) {
            @Override
            public Uni<Map<UUID, Recorded>> settleRetry(List<Entry<Settlement.RetryAfter>> entries) {
                return super.settleRetry(entries).invoke(() -> {
                    if (writes.incrementAndGet() == 1) {
                        throw new UncheckedIOException(new IOException("the connection was lost"));
                    }
                });
            }
        };
    }

    /** Settlements of which none is ever written. @param writes counts the tries */
    public SettlementStore failing(AtomicInteger writes) {
        return new SettlementStore(database) {
            @Override
            public Uni<Map<UUID, Recorded>> settleComplete(List<Entry<Settlement.Complete>> entries) {
                writes.incrementAndGet();
                return Uni.createFrom().failure(new IOException("the connection was lost"));
            }
        };
    }

    /** Successes may not be written, everything else may. @param writes counts the tries of successes */
    public SettlementStore refusing(AtomicInteger writes) {
        return new SettlementStore(database) {
            @Override
            public Uni<Map<UUID, Recorded>> settleComplete(List<Entry<Settlement.Complete>> entries) {
                writes.incrementAndGet();
                return Uni.createFrom().failure(new PgException("permission denied for table job", "ERROR", "42501", null));
            }
        };
    }

    @Override
    public void close() {
        database.close();
    }
}
