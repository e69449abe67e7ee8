package io.millrace.maintenance;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.UniEmitter;

@DisplayNameGeneration(ReplaceUnderscores.class)
class ChoreTest {
    private final List<UniEmitter<? super Integer>> passes = new ArrayList<>();
    private final AtomicInteger ran = new AtomicInteger();
    private final AtomicInteger refused = new AtomicInteger();
    private final Chore chore = new Chore("test", () -> Uni.createFrom().emitter(passes::add));

    private void tick() {
        chore.runOnce().subscribe().with(hasRun -> (hasRun ? ran : refused).incrementAndGet());
    }

    @Test
    void two_passes_never_overlap() {
        tick();
        tick();
        assertThat(passes).hasSize(1);
        assertThat(refused).hasValue(1);

        passes.get(0).complete(3);
        assertThat(ran).hasValue(1);
        tick();
        assertThat(passes).hasSize(2);
    }

    @Test
    void after_a_pass_that_failed_the_next_one_runs() {
        tick();
        passes.get(0).fail(new IllegalStateException("Redis is away"));
        tick();
        assertThat(passes).hasSize(2);
        assertThat(ran).hasValue(1);
    }

    @Test
    void a_pass_that_throws_is_one_that_failed() {
        Chore thrower = new Chore("test", () -> {
            throw new IllegalStateException("mistake");
        });
        for (int i = 0; i < 2; i++) {
            assertThat(thrower.runOnce().await().atMost(Duration.ofSeconds(5))).isTrue();
        }
    }

    @Test
    void a_step_that_never_answers_fails_within_its_limit() {
        Uni<Integer> pass = Passes.untilNothing(Duration.ofMillis(50), () -> Uni.createFrom().nothing());
        assertThat(pass.onFailure().recoverWithItem(-1).await().atMost(Duration.ofSeconds(5))).isEqualTo(-1);
    }
}
