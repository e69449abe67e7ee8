package io.millrace.handler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.time.Duration;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.millrace.handler.trial.EchoHandler;
import io.millrace.job.RetryPolicy;

@DisplayNameGeneration(ReplaceUnderscores.class)
class JobHandlersTest {

    @Test
    void handlers_are_found_by_the_name_of_their_type() {
        JobHandlers handlers = TestHandlers.trial();

        assertThat(handlers.find("echo")).isInstanceOf(EchoHandler.class);
        assertThat(handlers.find("Echo")).isNull();
        assertThat(handlers.names()).containsExactly("echo", "fail", "flaky", "sleep");
        assertThat(handlers.types()).extracting(JobType::name).isEqualTo(handlers.names());
    }

    @Test
    void two_handlers_of_one_type_stop_the_start() {
        assertThatIllegalStateException().isThrownBy(() -> TestHandlers.of(new EchoHandler(), new EchoHandler()))
                .withMessageStartingWith("the job type echo has two handlers: ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Echo", "-a", "a b", "a/b", ".a"})
    void a_name_is_lower_case_and_plain(String name) {
        assertThatIllegalArgumentException().isThrownBy(() -> new JobType<>(name, "Does.", String.class, "\"\""));
    }

    @Test
    void a_timeout_is_positive() {
        assertThatIllegalArgumentException().isThrownBy(
                () -> new JobType<>("a", "Does.", String.class, "\"\"", "default", Duration.ZERO, RetryPolicy.DEFAULT));
    }
}
