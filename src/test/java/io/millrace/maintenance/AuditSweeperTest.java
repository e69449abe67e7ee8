package io.millrace.maintenance;

import static io.millrace.maintenance.RepairCrew.pass;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;

import io.millrace.audit.AuditConfig;
import io.millrace.job.JobIds;
import io.millrace.support.TestConfig;

class AuditSweeperTest extends RepairTest {
    private static final Duration KEEP = Duration.ofDays(90);

    private AuditSweeper sweeper() {
        return new AuditSweeper(process.stores.audit, TestConfig.of(AuditConfig.class, Map.of()),
                TestConfig.of(MaintenanceConfig.class, Map.of()),
                TestConfig.of(RetentionConfig.class, Map.of("millrace.retention.items", "100")));
    }

    private static void insert(int count, Duration age) {
        String prefix = JobIds.lowestAt(Instant.now().minus(age)).toString().substring(0, 14);
        servers.execute("insert into audit (id, tenant, at, actor_kind, actor, action, outcome)"
                + " select ('" + prefix
                + "' || substr(gen_random_uuid()::text, 15))::uuid, 'default', now(), 'user', 'ann', 'login',"
                + " 'done' from generate_series(1, " + count + ")");
    }

    @Test
    void rows_that_are_old_go_in_small_steps_and_the_others_stay() {
        insert(250, KEEP.plusMinutes(1));
        insert(7, KEEP.minusMinutes(1));

        assertThat(pass(sweeper().deleteOld())).isEqualTo(250);
        assertThat(servers.query("select count(*) from audit")).isEqualTo("7");
        assertThat(pass(sweeper().deleteOld())).isZero();
    }

    @Test
    void a_time_that_is_too_short_or_too_long_is_refused() {
        for (String bad : List.of("59m", "3651d")) {
            assertThat(TestConfig.faults(AuditConfig.class, Map.of("millrace.audit.retention", bad)))
                    .containsExactly("millrace.audit.retention must be 1h to 3650d");
        }
        assertThat(TestConfig.faults(AuditConfig.class, Map.of())).isEmpty();
    }
}
