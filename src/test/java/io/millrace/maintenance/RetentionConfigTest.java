package io.millrace.maintenance;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Map;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

import io.millrace.support.TestConfig;
import io.smallrye.config.EnvConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;

@DisplayNameGeneration(ReplaceUnderscores.class)
class RetentionConfigTest {

    private static RetentionConfig config(Map<String, String> values) {
        return TestConfig.of(RetentionConfig.class, values);
    }

    @Test
    void a_queue_may_differ_in_some_states_only() {
        RetentionConfig config = config(Map.of("millrace.retention.queues.images.completed", "1h",
                "millrace.retention.queues.\"bank.transfers\".failed", "forever"));

        assertThat(config.queues().get("images").completed()).contains(Duration.ofHours(1));
        assertThat(config.queues().get("images").failed()).isEmpty();
        assertThat(config.queues().get("bank.transfers").failed()).contains(RetentionConfig.Keep.FOREVER);
    }

    @Test
    void a_queue_can_be_named_in_the_environment() {
        RetentionConfig config = new SmallRyeConfigBuilder().addDiscoveredConverters().withMapping(RetentionConfig.class)
                .withSources(new EnvConfigSource(Map.of("MILLRACE_RETENTION_QUEUES_IMAGES_COMPLETED", "2h",
                        "MILLRACE_RETENTION_QUEUES__BANK_TRANSFERS__FAILED", "3h"), 300))
                .build().getConfigMapping(RetentionConfig.class);

        assertThat(config.queues().get("images").completed()).contains(Duration.ofHours(2));
        assertThat(config.queues()).hasSize(2);
    }

    @Test
    void a_time_that_is_too_short_stops_the_start() {
        assertThat(TestConfig.faults(RetentionConfig.class, Map.of())).isEmpty();
        assertThat(TestConfig.faults(RetentionConfig.class, Map.of("millrace.retention.failed", "forever"))).isEmpty();
        assertThat(TestConfig.faults(RetentionConfig.class, Map.of("millrace.retention.failed", "10s")))
                .containsExactly("every time of millrace.retention must be at least 1m, or forever");
        assertThat(TestConfig.faults(RetentionConfig.class, Map.of("millrace.retention.queues.images.completed", "0s")))
                .hasSize(1);
    }
}
