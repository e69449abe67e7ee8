package io.millrace.maintenance;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.millrace.support.TestConfig;

@DisplayNameGeneration(ReplaceUnderscores.class)
class MaintenanceConfigTest {

    private static List<String> faults(String chore, String every) {
        return TestConfig.faults(MaintenanceConfig.class, Map.of("millrace.maintenance." + chore + "-every", every));
    }

    @Test
    void the_defaults_are_good() {
        assertThat(TestConfig.faults(MaintenanceConfig.class, Map.of())).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"relay", "load", "promote", "reclaim", "reap", "reconcile", "trim", "census"})
    void a_chore_that_would_never_or_always_run_is_refused(String chore) {
        for (String good : List.of("1s", "24h")) {
            assertThat(faults(chore, good)).isEmpty();
        }
        for (String bad : List.of("0s", "999ms", "86401s")) {
            assertThat(faults(chore, bad)).singleElement().asString().contains(chore + "-", "1s to 24h");
        }
    }
}
