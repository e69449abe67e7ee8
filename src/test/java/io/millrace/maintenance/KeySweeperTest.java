package io.millrace.maintenance;

import static io.millrace.maintenance.RepairCrew.pass;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;

import org.junit.jupiter.api.Test;

import io.millrace.support.TestConfig;
import io.millrace.worker.WorkerProcess;

class KeySweeperTest extends RepairTest {

    private static KeySweeper sweeper(WorkerProcess of) {
        return new KeySweeper(of.stores.keys, of.stores.effects, TestConfig.of(MaintenanceConfig.class, Map.of()),
                TestConfig.of(RetentionConfig.class, Map.of("millrace.retention.items", "100")));
    }

    private static void insertKeys(int count, String expiresAt) {
        servers.execute(
                "insert into idempotency_key select 'default', gen_random_uuid(), '', gen_random_uuid(), 'CREATED', 'q',"
                        + " 'PENDING', now(), now(), " + expiresAt + " from generate_series(1, " + count + ")");
    }

    private static void insertEffects(int count, String expiresAt) {
        servers.execute(
                "insert into effect select 'default', gen_random_uuid(), gen_random_uuid(), 1, now(), now(), " + expiresAt
                        + " from generate_series(1, " + count + ")");
    }

    @Test
    void keys_and_effects_whose_time_is_up_go_in_small_steps_and_the_others_stay() {
        insertKeys(250, "now() - interval '1 second'");
        insertKeys(3, "now() + interval '1 hour'");
        insertEffects(120, "now() - interval '1 second'");
        insertEffects(2, "now() + interval '1 hour'");

        assertThat(pass(sweeper(process).deleteExpired())).isEqualTo(370);
        assertThat(servers.query("select (select count(*) from idempotency_key), (select count(*) from effect)"))
                .isEqualTo("3 2");
        assertThat(pass(sweeper(process).deleteExpired())).isZero();
    }
}
