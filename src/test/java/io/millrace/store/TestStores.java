package io.millrace.store;

import java.util.Map;

import io.millrace.support.TestConfig;
import io.vertx.core.Vertx;

/** The engine's side of a database, without an application. */
public final class TestStores implements AutoCloseable {
    public final DatabaseConfig config;
    public final JobStore jobs;
    public final RepairStore repair;
    public final SettlementStore settlements;
    private final Database database;

    public TestStores(Vertx vertx, String databaseUrl) {
        config = TestConfig.of(DatabaseConfig.class, Map.of("millrace.database.url", databaseUrl));
        database = new Database(vertx, config);
        jobs = new JobStore(database);
        repair = new RepairStore(database);
        settlements = new SettlementStore(database);
    }

    @Override
    public void close() {
        database.close();
    }
}
