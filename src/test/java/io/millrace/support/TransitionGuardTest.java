package io.millrace.support;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import io.millrace.job.JobState;
import io.millrace.job.JobTransition;

@DisplayNameGeneration(ReplaceUnderscores.class)
class TransitionGuardTest {

    private static final int EPOCH = 7;

    private static Connection connection;

    @BeforeAll
    static void open() throws SQLException {
        connection = TestServers.connect(TestServers.migratedDatabase());
    }

    @AfterAll
    static void close() throws SQLException {
        connection.close();
    }

    @Test
    void the_guard_allows_the_changes_of_the_table_and_no_others() throws SQLException {
        Set<String> allowed = new TreeSet<>();
        Set<String> listed = new TreeSet<>();
        for (JobState from : JobState.values()) {
            for (JobState to : JobState.values()) {
                if (JobTransition.isLegal(from, to)) {
                    listed.add(from + " -> " + to);
                }
                // From PROCESSING to itself is a change of hands; every other state stays what it is without an event.
                if ((from != to || from == JobState.PROCESSING) && isAllowed(from, to)) {
                    allowed.add(from + " -> " + to);
                }
            }
        }
        assertThat(allowed).isEqualTo(listed).isNotEmpty();
    }

    @ParameterizedTest
    @EnumSource(value = JobState.class, names = {"COMPLETED", "FAILED", "CANCELLED"})
    void a_job_that_has_ended_is_not_even_touched(JobState state) throws SQLException {
        UUID id = insert(state);
        assertThatThrownBy(() -> update(id, "result = '1'")).hasMessageContaining("has ended");
        assertThatThrownBy(() -> update(id, "dispatched_at = null")).hasMessageContaining("has ended");
    }

    @Test
    void the_epoch_grows_with_a_claim_and_stays_otherwise() throws SQLException {
        UUID running = insert(JobState.PROCESSING);
        assertThatThrownBy(() -> update(running, "epoch = epoch - 1")).hasMessageContaining("epoch 7 -> 6");
        assertThatThrownBy(() -> update(running, "epoch = epoch + 1")).hasMessageContaining("epoch 7 -> 8");
        assertThatThrownBy(() -> update(running, "lease_id = gen_random_uuid()")).hasMessageContaining("epoch 7 -> 7");
        update(running, "lease_until = now()");

        UUID waiting = insert(JobState.PENDING);
        assertThatThrownBy(() -> update(waiting, "state = 'PROCESSING', lease_id = gen_random_uuid()"))
                .hasMessageContaining("epoch 7 -> 7");
        assertThatThrownBy(() -> update(waiting, "state = 'CANCELLED', phase = 2, epoch = 0")).hasMessageContaining("epoch");
        update(waiting, "dispatched_at = now()");
    }

    private static boolean isAllowed(JobState from, JobState to) throws SQLException {
        UUID id = insert(from);
        try {
            boolean isClaim = to == JobState.PROCESSING;
            update(id, "state = '" + to + "', phase = " + to.phase().code() + ", lease_id = "
                    + (isClaim ? "gen_random_uuid(), epoch = epoch + 1" : "null"));
            return true;
        } catch (SQLException refused) {
            assertThat(refused.getMessage()).contains("is no transition");
            return false;
        }
    }

    private static UUID insert(JobState state) throws SQLException {
        UUID id = UUID.randomUUID();
        try (PreparedStatement insert = connection.prepareStatement(
                """
                        insert into job (id, tenant, queue, type, priority, payload, state, phase, epoch, lease_id, max_attempts, run_at,
                                         created_at)
                        values (?, 'default', 'default', 'echo', 1, '{}', ?, ?, ?, ?, 1, now(), now())""")) {
            insert.setObject(1, id);
            insert.setString(2, state.name());
            insert.setInt(3, state.phase().code());
            insert.setInt(4, EPOCH);
            insert.setObject(5, state == JobState.PROCESSING ? UUID.randomUUID() : null);
            insert.execute();
        }
        return id;
    }

    private static void update(UUID id, String change) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            assertThat(statement.executeUpdate("update job set " + change + " where id = '" + id + "'")).isEqualTo(1);
        }
    }
}
