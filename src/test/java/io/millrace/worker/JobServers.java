package io.millrace.worker;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;

import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;

import io.millrace.support.PlainRedis;
import io.millrace.support.TestServers;

/** A database and a Redis for {@link WorkerProcess}es, and the hand that puts rows and entries there behind their back. */
public record JobServers(String databaseUrl, String redisUrl) {
    public static final String QUEUE = "q";
    /** The stream that jobs are put on unless a test says otherwise. */
    public static final String STREAM = "{q}:normal";
    public static final String DELAYED = "{q}:delayed";
    public static final Duration PATIENCE = Duration.ofSeconds(30);

    public static JobServers fresh() {
        return new JobServers(TestServers.migratedDatabase(), TestServers.freshRedis());
    }

    public static ConditionFactory await() {
        return Awaitility.await().atMost(PATIENCE).pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(10));
    }

    /** Neither a job nor a key is left. */
    public void clear() {
        execute("truncate job, job_attempt, job_artifact, idempotency_key, effect, audit");
        redis("FLUSHDB");
    }

    public void execute(String sql) {
        try (Connection connection = TestServers.connect(databaseUrl); Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }

    /** @return the columns of the first row, separated by a blank; null if there is none */
    public String query(String sql) {
        try (Connection connection = TestServers.connect(databaseUrl);
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            if (!rows.next()) {
                return null;
            }
            StringBuilder columns = new StringBuilder();
            for (int i = 1; i <= rows.getMetaData().getColumnCount(); i++) {
                columns.append(i == 1 ? "" : " ").append(rows.getString(i));
            }
            return columns.toString();
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }

    /** The columns of one job, separated by a blank. */
    public String job(UUID id, String columns) {
        return query("select " + columns + " from job where id = '" + id + "'");
    }

    public int count(String condition) {
        return Integer.parseInt(query("select count(*) from job where " + condition));
    }

    public void change(UUID id, String changes) {
        execute("update job set " + changes + " where id = '" + id + "'");
    }

    /** A job of type echo that is ready, marked as dispatched now, and on no stream. */
    public UUID insertReady() {
        return insert("PENDING", 1, "now()", "now()", "normal");
    }

    /** @param dispatchedAt an SQL expression, as is {@code runAt} */
    public UUID insert(String state, int priority, String runAt, String dispatchedAt, String tag) {
        UUID id = UUID.randomUUID();
        execute("insert into job (id, tenant, queue, type, priority, payload, state, phase, max_attempts, run_at, dispatched_at,"
                + " created_at, tags) values ('" + id + "', 'default', '" + QUEUE + "', 'echo', " + priority + ", '{}', '"
                + state + "', " + (state.equals("PENDING") ? 1 : 0) + ", 5, " + runAt + ", " + dispatchedAt
                + ", now(), array['" + tag + "'])");
        return id;
    }

    /** Many jobs that are ready and on no stream. */
    public void insertUndispatched(String queue, int priority, int count) {
        execute("insert into job (id, tenant, queue, type, priority, payload, state, phase, max_attempts, run_at, created_at)"
                + " select gen_random_uuid(), 'default', '" + queue + "', 'echo', " + priority
                + ", '{}', 'PENDING', 1, 5, now(), now() from generate_series(1, " + count + ")");
    }

    /** The job runs, for all the database knows. @param leaseUntil an SQL expression */
    public UUID insertRunning(String leaseUntil) {
        UUID id = insertReady();
        lease(id, "dead-worker", leaseUntil);
        return id;
    }

    /** As a claim by another worker. */
    public void lease(UUID id, String owner, String leaseUntil) {
        change(id, "state = 'PROCESSING', epoch = epoch + 1, lease_id = gen_random_uuid(), lease_owner = '" + owner
                + "', lease_until = " + leaseUntil + ", started_at = now(), dispatched_at = coalesce(dispatched_at, now())");
    }

    public List<String> redis(String... commands) {
        return PlainRedis.ask(redisUrl, commands);
    }

    public int number(String command) {
        return Integer.parseInt(redis(command).get(0).substring(1));
    }

    public void append(UUID id) {
        redis("XADD " + STREAM + " * j " + id);
    }

    /** Puts the job on the stream, and has it delivered to a consumer that is never heard of again. */
    public void deliverToTheDead(UUID id) {
        deliver(id, "dead-worker");
    }

    public void deliver(UUID id, String consumer) {
        append(id);
        createGroups();
        redis("XREADGROUP GROUP workers " + consumer + " COUNT 1 STREAMS " + STREAM + " >");
    }

    public void createGroups() {
        for (String priority : List.of("high", "normal", "low")) {
            if (number("EXISTS {q}:" + priority) == 0 || redis("XINFO GROUPS {q}:" + priority).get(0).equals("*0")) {
                redis("XGROUP CREATE {q}:" + priority + " workers 0 MKSTREAM");
            }
        }
    }

    public int length() {
        return number("XLEN " + STREAM);
    }

    public int pending() {
        return Integer.parseInt(redis("XPENDING " + STREAM + " workers").get(1).substring(1));
    }

    /** @return how many entries are pending for a consumer */
    public int pendingOf(String consumer) {
        return Integer.parseInt(redis("XPENDING " + STREAM + " workers - + 1000 " + consumer).get(0).substring(1));
    }

    public void awaitState(UUID id, String state) {
        await().untilAsserted(() -> org.assertj.core.api.Assertions.assertThat(job(id, "state")).isEqualTo(state));
    }

    public List<UUID> insertReady(int count) {
        return IntStream.range(0, count).mapToObj(i -> insertReady()).toList();
    }
}
