package io.millrace.store;

import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

import jakarta.annotation.PreDestroy;
import jakarta.inject.Singleton;

import io.millrace.pool.PoolUse;
import io.smallrye.mutiny.TimeoutException;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxException;
import io.vertx.core.impl.NoStackTraceThrowable;
import io.vertx.pgclient.PgBuilder;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.pgclient.PgException;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.PoolOptions;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;

/**
 * The connections to PostgreSQL: one pool for the engine, whose plans are pinned, and one for the questions of the API, so
 * that an expensive list cannot take the connections that jobs are claimed and settled on.
 */
@Singleton
public class Database {
    /** SQLSTATE classes of a statement that was refused, with no effect, because of a value in it, or the same value twice. */
    private static final Set<String> FAULTS_OF_A_VALUE = Set.of("21", "22", "23");
    /** SQLSTATE classes that say nothing about the statement: connection, resources, operator, system, and conflicts. */
    private static final Set<String> TROUBLE_OF_THE_SERVER = Set.of("08", "25", "40", "53", "55", "57", "58");
    private static final String UNIQUE_VIOLATION = "23505";
    private static final String QUERY_CANCELED = "57014";

    private final Pool engine;
    private final Pool queries;
    private final PoolUse engineUse;
    private final PoolUse queryUse;

    Database(Vertx vertx, DatabaseConfig config) {
        engineUse = new PoolUse("engine", config.engineConnections());
        queryUse = new PoolUse("query", config.queryConnections());
        engine = pool(vertx, config, "engine", config.engineConnections(), engineOptions(config));
        queries = pool(vertx, config, "query", config.queryConnections(), queryOptions(config));
    }

    /** Runs a statement of the engine. */
    Uni<RowSet<Row>> run(String sql, Tuple parameters) {
        return engineUse.watch(uni(() -> engine.preparedQuery(sql).execute(parameters)));
    }

    /** Runs a question of the API. */
    Uni<RowSet<Row>> query(String sql, Tuple parameters) {
        return queryUse.watch(uni(() -> queries.preparedQuery(sql).execute(parameters)));
    }

    /** @return what goes on on the pools */
    public List<PoolUse> uses() {
        return List.of(engineUse, queryUse);
    }

    /** @return completes if PostgreSQL answers within the acquire and statement timeouts */
    public Uni<Void> ping() {
        return uni(() -> queries.query("select 1").execute()).replaceWithVoid();
    }

    /** A connection of its own, outside the pools, for a caller that must not wait behind others. It belongs to the caller. */
    public static Future<SqlConnection> connectAlone(Vertx vertx, DatabaseConfig config) {
        return io.vertx.pgclient.PgConnection.connect(vertx, engineOptions(config)).map(connection -> connection);
    }

    /** @return true if the statement was refused, with no effect, because of a value in it */
    static boolean isFaultOfAValue(Throwable failure) {
        return failure instanceof PgException pg && pg.getSqlState() != null
                && FAULTS_OF_A_VALUE.contains(pg.getSqlState().substring(0, 2));
    }

    /** @return true if the statement was refused, with no effect, because of this unique index */
    static boolean violates(Throwable failure, String index) {
        return failure instanceof PgException pg && UNIQUE_VIOLATION.equals(pg.getSqlState())
                && index.equals(pg.getConstraint());
    }

    /** @return true if the server cancelled the statement because it took too long */
    public static boolean isTooSlow(Throwable failure) {
        return failure instanceof PgException pg && QUERY_CANCELED.equals(pg.getSqlState());
    }

    /** @return true if PostgreSQL could not be reached, was too busy, or did not answer: what it did is unknown */
    public static boolean isUnavailable(Throwable failure) {
        if (failure instanceof PgException pg && pg.getSqlState() != null) {
            return TROUBLE_OF_THE_SERVER.contains(pg.getSqlState().substring(0, 2));
        }
        return failure instanceof PgException || failure instanceof IOException || failure instanceof VertxException
                || failure instanceof NoStackTraceThrowable || failure instanceof TimeoutException;
    }

    @PreDestroy
    void close() {
        engine.close();
        queries.close();
    }

    static <T> Uni<T> uni(java.util.function.Supplier<Future<T>> call) {
        return Uni.createFrom().emitter(emitter -> call.get().onComplete(emitter::complete, emitter::fail));
    }

    private static Pool pool(Vertx vertx, DatabaseConfig config, String name, int size, PgConnectOptions options) {
        PoolOptions bounds = new PoolOptions().setName("millrace-" + name).setMaxSize(size).setMaxWaitQueueSize(10_000)
                .setConnectionTimeout((int) config.acquireTimeout().toMillis()).setConnectionTimeoutUnit(TimeUnit.MILLISECONDS);
        return PgBuilder.pool().with(bounds).connectingTo(options).using(vertx).build();
    }

    static PgConnectOptions options(DatabaseConfig config, long statementTimeoutMs) {
        PgConnectOptions options = PgConnectOptions.fromUri(config.url());
        options.setConnectTimeout((int) config.connectTimeout().toMillis()).setTcpKeepAlive(true);
        options.setCachePreparedStatements(true).setPreparedStatementCacheMaxSize(128)
                .setPreparedStatementCacheSqlFilter(sql -> true);
        // A server that vanished without a word: the connection is closed, and with it what waits on it.
        options.setIdleTimeout((int) config.silenceTimeout().toSeconds()).setIdleTimeoutUnit(TimeUnit.SECONDS);
        options.addProperty("application_name", "millrace");
        options.addProperty("statement_timeout", Long.toString(statementTimeoutMs));
        options.addProperty("idle_in_transaction_session_timeout", "30000");
        return options;
    }

    /** Planned for the values at hand: a filter that is null costs nothing, and a small tenant is found by its own index. */
    static PgConnectOptions queryOptions(DatabaseConfig config) {
        PgConnectOptions options = options(config, config.queryTimeout().toMillis());
        options.addProperty("plan_cache_mode", "force_custom_plan");
        return options;
    }

    /**
     * The engine's statements touch a few hundred rows by key, always. A planner that looks at the statistics of a table that
     * was empty a minute ago chooses otherwise: a walk over all leased rows made settling 11 times slower.
     */
    static PgConnectOptions engineOptions(DatabaseConfig config) {
        PgConnectOptions options = options(config, config.statementTimeout().toMillis());
        options.addProperty("plan_cache_mode", "force_generic_plan");
        options.addProperty("enable_seqscan", "off");
        options.addProperty("enable_hashjoin", "off");
        options.addProperty("enable_mergejoin", "off");
        options.addProperty("jit", "off");
        return options;
    }
}
