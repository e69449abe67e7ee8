package io.millrace.chaos;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

import io.millrace.job.JobState;
import io.millrace.support.TestServers;

/** What PostgreSQL holds at the end of a run, read with plain SQL: rows, attempts, and every change that was written down. */
record Evidence(Map<UUID, Row> rows, Map<UUID, List<Change>> changes, Map<UUID, List<Attempt>> attempts) {

    /** @param seq the number of its plan */
    record Row(UUID id, int seq, JobState state, int epoch, int failures, int lost, int maxAttempts, String reason,
            String result, Instant createdAt) {}

    /** A change of state, lease or epoch; {@code oldState} is null for the insert. */
    record Change(Instant at, UUID jobId, JobState oldState, JobState newState, int oldEpoch, int newEpoch, UUID oldLease,
            UUID newLease, Instant oldUntil, Instant oldRunAt, String owner, int failures, int lost) {

        boolean isClaim() {
            return newState == JobState.PROCESSING && newLease != null && !newLease.equals(oldLease);
        }

        boolean isReplay() {
            return (oldState == JobState.FAILED || oldState == JobState.CANCELLED) && newState == JobState.PENDING;
        }

        boolean ends() {
            return newState.isTerminal();
        }
    }

    record Attempt(int epoch, String outcome) {}

    private static final String AUDIT = "/db/job_audit.sql";

    /** Has PostgreSQL write down every change of a job from now on. */
    static void installAudit(String databaseUrl) {
        try (Connection connection = TestServers.connect(databaseUrl);
                Statement statement = connection.createStatement();
                InputStream script = Evidence.class.getResourceAsStream(AUDIT)) {
            statement.execute(new String(script.readAllBytes(), StandardCharsets.UTF_8));
        } catch (SQLException e) {
            throw new IllegalStateException(AUDIT, e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Evidence read(String databaseUrl) {
        try (Connection connection = TestServers.connect(databaseUrl); Statement statement = connection.createStatement()) {
            connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ); // all of it as it was at one moment
            connection.setAutoCommit(false);
            return new Evidence(rows(statement), changes(statement), attempts(statement));
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** @return how many jobs have not ended */
    static int countOpen(String databaseUrl) {
        return number(databaseUrl, "select count(*) from job where phase < 2");
    }

    /** @return the workers that claimed a job since then, by the clock of PostgreSQL, with when the first claim was */
    static Map<String, Instant> claimersSince(String databaseUrl, Instant since) {
        Map<String, Instant> owners = new HashMap<>();
        try (Connection connection = TestServers.connect(databaseUrl);
                Statement statement = connection.createStatement();
                ResultSet row = statement
                        .executeQuery("select owner, min(at) from job_audit where new_state = 'PROCESSING' and at > '"
                                + since + "' group by owner")) {
            while (row.next()) {
                owners.put(row.getString(1), row.getTimestamp(2).toInstant());
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
        return owners;
    }

    static int number(String databaseUrl, String sql) {
        try (Connection connection = TestServers.connect(databaseUrl);
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getInt(1);
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }

    List<Change> changesOf(UUID id) {
        return changes.getOrDefault(id, List.of());
    }

    List<Attempt> attemptsOf(UUID id) {
        return attempts.getOrDefault(id, List.of());
    }

    private static Map<UUID, Row> rows(Statement statement) throws SQLException {
        Map<UUID, Row> rows = new HashMap<>();
        try (ResultSet row = statement.executeQuery(
                """
                        select id, tags[1], state, epoch, failures, lost, max_attempts, failure::json->>'reason', result::text, created_at
                          from job""")) {
            while (row.next()) {
                UUID id = row.getObject(1, UUID.class);
                rows.put(id, new Row(id, Plan.seq(row.getString(2)), JobState.valueOf(row.getString(3)), row.getInt(4),
                        row.getInt(5), row.getInt(6), row.getInt(7), row.getString(8), row.getString(9),
                        row.getTimestamp(10).toInstant()));
            }
        }
        return rows;
    }

    private static Map<UUID, List<Change>> changes(Statement statement) throws SQLException {
        Map<UUID, List<Change>> changes = new HashMap<>();
        try (ResultSet row = statement.executeQuery(
                """
                        select at, job_id, old_state, new_state, old_epoch, new_epoch, old_lease, new_lease, old_until, old_run_at, owner,
                               failures, lost
                          from job_audit order by seq""")) {
            while (row.next()) {
                Change change = new Change(row.getTimestamp(1).toInstant(), row.getObject(2, UUID.class),
                        state(row.getString(3)),
                        state(row.getString(4)), row.getInt(5), row.getInt(6), row.getObject(7, UUID.class),
                        row.getObject(8, UUID.class), instant(row.getTimestamp(9)), instant(row.getTimestamp(10)),
                        row.getString(11), row.getInt(12), row.getInt(13));
                changes.computeIfAbsent(change.jobId(), id -> new ArrayList<>()).add(change);
            }
        }
        return changes;
    }

    private static Map<UUID, List<Attempt>> attempts(Statement statement) throws SQLException {
        Map<UUID, List<Attempt>> attempts = new HashMap<>();
        try (ResultSet row = statement.executeQuery("select job_id, epoch, outcome from job_attempt order by job_id, epoch")) {
            while (row.next()) {
                attempts.computeIfAbsent(row.getObject(1, UUID.class), id -> new ArrayList<>())
                        .add(new Attempt(row.getInt(2), row.getString(3)));
            }
        }
        return attempts;
    }

    private static JobState state(String name) {
        return name == null ? null : JobState.valueOf(name);
    }

    private static Instant instant(Timestamp time) {
        return time == null ? null : time.toInstant();
    }
}
