package io.millrace.store;

import java.util.concurrent.TimeUnit;

import jakarta.inject.Singleton;

import io.quarkus.reactive.pg.client.PgPoolCreator;
import io.vertx.pgclient.PgBuilder;
import io.vertx.sqlclient.Pool;

/**
 * The connections that Hibernate reads and writes accounts on: few, because nothing frequent goes over them, and with the bounds in
 * time that all others have.
 */
@Singleton
class AdminPool implements PgPoolCreator {
    private final DatabaseConfig config;

    AdminPool(DatabaseConfig config) {
        this.config = config;
    }

    @Override
    public Pool create(Input input) {
        return PgBuilder.pool()
                .with(input.poolOptions().setName("millrace-admin").setMaxSize(config.adminConnections())
                        .setMaxWaitQueueSize(1_000)
                        .setConnectionTimeout((int) config.acquireTimeout().toMillis())
                        .setConnectionTimeoutUnit(TimeUnit.MILLISECONDS))
                .connectingTo(Database.options(config, config.queryTimeout().toMillis()))
                .using(input.vertx()).build();
    }
}
