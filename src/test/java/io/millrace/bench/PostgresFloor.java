package io.millrace.bench;

import java.net.URI;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.millrace.job.JobIds;
import io.millrace.store.Migrations;
import io.millrace.support.TestServers;

/**
 * What PostgreSQL does with nothing around it: the three writes of a job's life, 500 rows a statement and a commit each, on two
 * JDBC connections, on a table with our columns and indexes in a database of its own. The first scenario fills the table, the
 * second, which comes after it, takes each row through PROCESSING to COMPLETED, guarded as ours are.
 */
final class PostgresFloor {

    private static final int ROWS = 50_000;
    private static final int BATCH = 500;
    private static final int CONNECTIONS = 2;
    private static final int LIMIT_SECONDS = 60;

    private static final String INSERT = """
            insert into job (id, tenant, queue, type, priority, payload, state, phase, max_attempts, run_at, dispatched_at, created_at)
            select u.id, 'default', 'floor', 'echo', 1, u.payload::json, 'PENDING', 1, 5, now(), now(), now()
              from unnest(?::uuid[], ?::text[]) as u(id, payload)""";
    private static final String CLAIM = """
            update job set state = 'PROCESSING', epoch = epoch + 1, lease_id = ?::uuid, lease_owner = 'bench',
                           lease_until = now() + interval '30 seconds', started_at = now()
             where id = any(?::uuid[]) and state = 'PENDING'""";
    private static final String SETTLE = """
            update job set state = 'COMPLETED', phase = 2, lease_id = null, lease_until = null, finished_at = now()
             where lease_id = ?::uuid and epoch = 1 and id = any(?::uuid[])""";
    /** As the engine pins its own: a planner that knows the table as empty would scan all of it. */
    private static final String PLANS = "set plan_cache_mode = force_generic_plan; set enable_seqscan = off; set jit = off";

    private final Stack stack;
    private final String url;
    private List<UUID[]> batches = List.of();

    private PostgresFloor(Stack stack, String url) {
        this.stack = stack;
        this.url = url;
    }

    static PostgresFloor prepare(Stack stack) throws SQLException {
        String url = URI.create(stack.databaseUrl()).resolve("/floor").toString();
        try (Connection server = TestServers.connect(stack.databaseUrl()); Statement statement = server.createStatement()) {
            statement.execute("create database floor");
        }
        Migrations.run(url);
        return new PostgresFloor(stack, url);
    }

    Scenario insert() {
        return new OnPostgres("PostgreSQL: INSERT, 500 at a time", () -> {
            renew();
            String[] payloads = Collections.nCopies(BATCH, Bodies.PAYLOAD).toArray(String[]::new);
            return measure((connection, ids) -> execute(connection, INSERT, connection.createArrayOf("uuid", ids),
                    connection.createArrayOf("text", payloads)));
        });
    }

    Scenario update() {
        return new OnPostgres("PostgreSQL: two UPDATEs, 500 at a time",
                () -> measure((connection, ids) -> {
                    UUID lease = UUID.randomUUID();
                    Array array = connection.createArrayOf("uuid", ids);
                    execute(connection, CLAIM, lease, array);
                    execute(connection, SETTLE, lease, array);
                }));
    }

    private interface Work {
        Sample run() throws Exception;
    }

    private record OnPostgres(String name, Work work) implements Scenario {
        @Override
        public Sample run() throws Exception {
            return work.run();
        }
    }

    private interface Step {
        void run(Connection connection, UUID[] ids) throws SQLException;
    }

    private void renew() throws SQLException {
        try (Connection connection = TestServers.connect(url); Statement statement = connection.createStatement()) {
            statement.execute("truncate job");
        }
        JobIds ids = new JobIds();
        List<UUID[]> fresh = new ArrayList<>();
        for (int i = 0; i < ROWS / BATCH; i++) {
            UUID[] batch = new UUID[BATCH];
            Arrays.setAll(batch, place -> ids.next());
            fresh.add(batch);
        }
        batches = fresh;
    }

    /** The connections outlive the measurement: the CPU time of one that ends is nobody's until the postmaster has noticed. */
    private Sample measure(Step step) throws Exception {
        List<Connection> connections = new ArrayList<>();
        try {
            for (int i = 0; i < CONNECTIONS; i++) {
                Connection connection = TestServers.connect(url);
                connections.add(connection);
                try (Statement settings = connection.createStatement()) {
                    settings.execute(PLANS);
                }
            }
            return stack.measure(() -> inParallel(connections, step));
        } finally {
            for (Connection connection : connections) {
                connection.close();
            }
        }
    }

    private long inParallel(List<Connection> connections, Step step) throws Exception {
        List<CompletableFuture<Void>> parts = new ArrayList<>();
        for (int i = 0; i < connections.size(); i++) {
            int first = i;
            parts.add(CompletableFuture.runAsync(() -> runEvery(connections.size(), first, connections.get(first), step)));
        }
        CompletableFuture.allOf(parts.toArray(CompletableFuture[]::new)).get(LIMIT_SECONDS, TimeUnit.SECONDS);
        return ROWS;
    }

    private void runEvery(int stride, int first, Connection connection, Step step) {
        try {
            for (int i = first; i < batches.size(); i += stride) {
                step.run(connection, batches.get(i));
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void execute(Connection connection, String sql, Object... parameters) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < parameters.length; i++) {
                statement.setObject(i + 1, parameters[i]);
            }
            if (statement.executeUpdate() != BATCH) {
                throw new IllegalStateException("not every row was there: " + sql);
            }
        }
    }
}
