package io.millrace.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(ReplaceUnderscores.class)
class HeapOnlyClaimTest {

    private static final int JOBS = 1_000;

    /** Worth a third more jobs a second: no index has to learn of the new row version. */
    @Test
    void a_claim_changes_no_index() throws SQLException {
        try (StoreDatabase database = new StoreDatabase()) {
            database.execute("""
                    insert into job (id, tenant, queue, type, priority, payload, state, phase, max_attempts, run_at,
                                     dispatched_at, created_at, unique_key)
                    select gen_random_uuid(), 'default', 'default', 'echo', 1, '{"n": 1}', 'PENDING', 1, 5, now(), now(), now(),
                           case when mod(n, 2) = 0 then 'key-' || n end
                      from generate_series(1, %d) n""".formatted(JOBS));
            database.prepare("claim_jobs");
            List<Long> before = updates(database);

            String ids = database.query("select array_agg(id) from job").get(0);
            assertThat(database
                    .query("execute claim_jobs('" + ids + "', gen_random_uuid(), 'worker-7d4b9c6f5-x2x9k-1a2b3c4d', 30000)"))
                    .hasSize(JOBS);

            List<Long> after = updates(database);
            assertThat(after.get(0) - before.get(0)).as("row versions").isEqualTo(JOBS);
            assertThat(after.get(1) - before.get(1)).as("of them heap-only").isEqualTo(JOBS);
        }
    }

    /** @return updates of the table so far, and how many of them were heap-only */
    private static List<Long> updates(StoreDatabase database) throws SQLException {
        database.query("select pg_stat_force_next_flush()");
        String numbers = database
                .query("select n_tup_upd || ' ' || n_tup_hot_upd from pg_stat_user_tables where relname = 'job'")
                .get(0);
        return Arrays.stream(numbers.split(" ")).map(Long::valueOf).toList();
    }
}
