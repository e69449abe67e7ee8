package io.millrace.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

/**
 * The statements of the engine touch a few hundred rows by key. A plan that walks the table, or all rows of another index, is
 * fast in an empty database and takes the service down in a full one.
 */
@DisplayNameGeneration(ReplaceUnderscores.class)
class EnginePlanTest {

    private static final int ROWS = 20_000;

    /** The only indexes a statement may go by. */
    private static final Map<String, Set<String>> INDEXES = new TreeMap<>(Map.ofEntries(
            Map.entry("insert_jobs", Set.of()),
            Map.entry("insert_keyed_jobs", Set.of("job_unique", "job_pkey")),
            Map.entry("find_idempotency_keys", Set.of("idempotency_key_pkey")),
            Map.entry("delete_expired_keys", Set.of("idempotency_key_pkey", "idempotency_key_expiry")),
            Map.entry("delete_old_audit", Set.of("audit_pkey")),
            Map.entry("begin_effect", Set.of("job_pkey", "effect_pkey")),
            Map.entry("finish_effect", Set.of("effect_pkey")),
            Map.entry("delete_expired_effects", Set.of("effect_pkey", "effect_expiry", "job_pkey")),
            Map.entry("undispatch_jobs", Set.of("job_pkey")),
            Map.entry("claim_jobs", Set.of("job_pkey")),
            Map.entry("claim_stuck_jobs", Set.of("job_pkey")),
            Map.entry("cancel_job", Set.of("job_pkey")),
            Map.entry("replay_job", Set.of("job_pkey")),
            Map.entry("look_up_jobs", Set.of("job_pkey")),
            Map.entry("renew_leases", Set.of("job_pkey")),
            Map.entry("settle_complete", Set.of("job_pkey")),
            Map.entry("settle_complete_with_artifacts", Set.of("job_pkey")),
            Map.entry("settle_retry", Set.of("job_pkey")),
            Map.entry("settle_postpone", Set.of("job_pkey")),
            Map.entry("settle_dead_letter", Set.of("job_pkey")),
            Map.entry("settle_release", Set.of("job_pkey")),
            Map.entry("settle_cancel", Set.of("job_pkey")),
            Map.entry("relay_jobs", Set.of("job_undispatched", "job_pkey")),
            Map.entry("find_waiting_queues", Set.of("job_undispatched")),
            Map.entry("find_known_queues", Set.of("job_undispatched", "job_dispatched", "job_dead")),
            Map.entry("count_queue", Set.of("job_undispatched", "job_dispatched", "job_dead")),
            Map.entry("count_waiting", Set.of("job_due")),
            Map.entry("find_due_jobs", Set.of("job_due")),
            Map.entry("reap_jobs", Set.of("job_dispatched", "job_pkey")),
            Map.entry("delete_ended_jobs", Set.of("job_pkey", "job_attempt_pkey", "job_artifact_pkey")),
            Map.entry("reconcile_pending", Set.of("job_dispatched", "job_pkey")),
            Map.entry("reconcile_waiting", Set.of("job_due", "job_pkey"))));

    /** Questions of the API: they run in sessions of their own, where the planner is free. */
    private static final Set<String> QUESTIONS = Set.of("find_artifact", "find_attempts", "find_ended_jobs", "find_job",
            "list_audit", "list_failed_mails", "list_jobs");

    /** What the planner knows of the table. */
    enum Knowledge {
        EMPTY_TABLE {
            @Override
            void prepare(StoreDatabase database) throws SQLException {
                database.execute("truncate job");
            }
        },
        FULL_TABLE_NEVER_ANALYSED {
            @Override
            void prepare(StoreDatabase database) throws SQLException {
                fill(database);
            }
        },
        FULL_TABLE_ANALYSED_WHILE_EMPTY {
            @Override
            void prepare(StoreDatabase database) throws SQLException {
                database.execute("truncate job");
                database.execute("analyze job");
                fill(database);
            }
        },
        FULL_TABLE_ANALYSED {
            @Override
            void prepare(StoreDatabase database) throws SQLException {
                fill(database);
                database.execute("analyze job");
            }
        },
        FULL_TABLE_ANALYSED_WHILE_ALL_JOBS_RAN {
            @Override
            void prepare(StoreDatabase database) throws SQLException {
                database.execute("truncate job");
                insert(database, ROWS, "'PROCESSING'");
                database.execute("analyze job");
            }
        },
        EMPTY_TABLE_VACUUMED {
            @Override
            void prepare(StoreDatabase database) throws SQLException {
                database.execute("truncate job");
                database.execute("vacuum analyze job");
            }
        },
        ONE_ROW {
            @Override
            void prepare(StoreDatabase database) throws SQLException {
                fill(database, 1);
                database.execute("vacuum analyze job");
            }
        },
        FIFTY_ROWS {
            @Override
            void prepare(StoreDatabase database) throws SQLException {
                fill(database, 50);
                database.execute("vacuum analyze job");
            }
        },
        A_THOUSAND_ROWS {
            @Override
            void prepare(StoreDatabase database) throws SQLException {
                fill(database, 1_000);
                database.execute("vacuum analyze job");
            }
        };

        abstract void prepare(StoreDatabase database) throws SQLException;

        private static void fill(StoreDatabase database) throws SQLException {
            fill(database, ROWS);
        }

        private static void fill(StoreDatabase database, int rows) throws SQLException {
            database.execute("truncate job");
            insert(database, rows,
                    "(array['PENDING', 'PENDING', 'PROCESSING', 'SCHEDULED', 'RETRYING', 'COMPLETED', 'COMPLETED', "
                            + "'COMPLETED', 'FAILED', 'CANCELLED'])[mod(n, 10) + 1]");
        }

        private static void insert(StoreDatabase database, int rows, String state) throws SQLException {
            database.execute("""
                    insert into job (id, tenant, queue, type, priority, payload, state, phase, lease_id, lease_until,
                                     max_attempts, run_at, dispatched_at, created_at)
                    select gen_random_uuid(), 'default', 'queue-' || mod(n, 5), 'echo', mod(n, 3), '{"n": 1}', s.state,
                           case when s.state in ('SCHEDULED', 'RETRYING') then 0
                                when s.state in ('PENDING', 'PROCESSING') then 1 else 2 end,
                           case when s.state = 'PROCESSING' then gen_random_uuid() end,
                           case when s.state = 'PROCESSING' then now() end,
                           5, now() + n * interval '1 second', case when mod(n, 20) <> 0 then now() end, now()
                      from generate_series(1, %d) n cross join lateral (select %s as state) s""".formatted(rows, state));
        }
    }

    private static StoreDatabase database;

    @BeforeAll
    static void open() throws SQLException {
        database = new StoreDatabase();
    }

    @AfterAll
    static void close() throws SQLException {
        database.close();
    }

    @Test
    void every_statement_is_either_looked_at_here_or_a_question_of_the_API() {
        assertThat(StoreDatabase.statementNames()).containsExactlyInAnyOrderElementsOf(
                Stream.concat(INDEXES.keySet().stream(), QUESTIONS.stream()).toList());
    }

    @ParameterizedTest
    @EnumSource
    void engine_statements_go_by_their_index_whatever_the_planner_knows(Knowledge knowledge) throws Exception {
        knowledge.prepare(database);
        database.execute("deallocate all");

        Map<String, Set<String>> used = new TreeMap<>();
        for (String name : INDEXES.keySet()) {
            database.prepare(name);
            String plan = String.join("\n",
                    database.query("explain (format json) " + StoreDatabase.executeWithNulls(name)));
            used.put(name, indexes(name, plan));
        }
        assertThat(used).isEqualTo(INDEXES);
    }

    /** @return the indexes that the plan looks things up in; it reads the table in no other way */
    private static Set<String> indexes(String name, String plan) throws Exception {
        JsonNode root = new ObjectMapper().readTree(plan);
        for (JsonNode reading : root.findParents("Relation Name")) {
            if (reading.path("Relation Name").asText().equals("job")) {
                assertThat(reading.path("Node Type").asText()).as("how %s reads the table in\n%s", name, plan)
                        .isIn("ModifyTable", "Index Scan", "Index Only Scan", "Bitmap Heap Scan");
            }
        }
        Set<String> indexes = new TreeSet<>();
        for (JsonNode lookUp : root.findParents("Index Name")) {
            // The first hop over the queue names is to the start of the index; everything else knows where to look.
            assertThat(lookUp.has("Index Cond") || Set.of("find_waiting_queues", "find_known_queues").contains(name))
                    .as("%s looks something up in\n%s", name, plan).isTrue();
            indexes.add(lookUp.path("Index Name").asText());
        }
        return indexes;
    }
}
