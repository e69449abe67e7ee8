package io.millrace.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

/** A list of a small tenant costs what its jobs cost, however many others have. */
@DisplayNameGeneration(ReplaceUnderscores.class)
class QuestionPlanTest {

    private static StoreDatabase database;

    @BeforeAll
    static void fill() throws SQLException {
        database = new StoreDatabase(Database::queryOptions);
        database.execute(
                """
                        insert into job (id, tenant, queue, type, priority, payload, state, phase, max_attempts, run_at, created_at)
                        select gen_random_uuid(), case when mod(n, 400) = 0 then 'small' when mod(n, 2) = 0 then 'large' else 'default' end,
                               'mail', 'email', 1, '{}', 'FAILED', 2, 5, now(), now()
                          from generate_series(1, 20000) n""");
        database.execute("analyze job");
        database.prepare("list_jobs");
        database.prepare("list_failed_mails");
    }

    @AfterAll
    static void close() throws SQLException {
        database.close();
    }

    private static String plan(String statement) throws SQLException {
        return String.join("\n", database.query("explain execute " + statement));
    }

    private static String listOf(String tenant) {
        return "list_jobs('" + tenant + "', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '00000000-0000-0000-0000-000000000000', "
                + "null, null, null, null, 50)";
    }

    @Test
    void the_jobs_of_a_named_tenant_are_found_by_their_own_index() throws SQLException {
        assertThat(plan(listOf("small"))).contains("job_tenant").contains("Index Cond: ((tenant = 'small'");
        assertThat(plan("list_failed_mails('small', 'welcome', 50, 0)")).contains("job_tenant");
    }

    @Test
    void those_of_the_default_tenant_by_the_primary_key() throws SQLException {
        assertThat(plan(listOf("default"))).contains("job_pkey");
    }
}
