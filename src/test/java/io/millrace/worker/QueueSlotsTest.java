package io.millrace.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayNameGeneration(ReplaceUnderscores.class)
class QueueSlotsTest {

    @Test
    void a_queue_may_have_a_limit_of_its_own() {
        assertThat(QueueSlots.parse(List.of("default", " images:4 ", "slow.mail:1", "bulk:10000"))).containsExactly(
                new QueueSlots("default", 0), new QueueSlots("images", 4), new QueueSlots("slow.mail", 1),
                new QueueSlots("bulk", 10_000));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Upper", "a b", "-a", "{a}", ":4", "a:", "a:0", "a:-1", "a:10001", "a:x", "a:1:2",
            "a:99999999999"})
    void what_cannot_be_read_is_refused_by_name(String setting) {
        assertThatIllegalArgumentException().isThrownBy(() -> QueueSlots.parse(List.of("default", setting)))
                .withMessageStartingWith("MILLRACE_QUEUES: '" + setting + "' ");
    }

    @Test
    void a_queue_is_named_once() {
        assertThatIllegalArgumentException().isThrownBy(() -> QueueSlots.parse(List.of("a", "b:2", "a:3")))
                .withMessage("MILLRACE_QUEUES names the queue a twice");
    }
}
