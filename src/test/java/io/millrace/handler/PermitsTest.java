package io.millrace.handler;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.Cancellable;
import io.smallrye.mutiny.subscription.UniEmitter;

@DisplayNameGeneration(ReplaceUnderscores.class)
class PermitsTest {

    final Permits slots = new Permits(2);
    final List<String> started = new ArrayList<>();
    final List<UniEmitter<? super String>> running = new ArrayList<>();

    @Test
    void no_more_than_the_slots_go_on_and_the_rest_follows_in_order() {
        start("a");
        start("b");
        start("c");
        start("d");
        assertThat(started).containsExactly("a", "b");

        running.get(1).complete("done");
        assertThat(started).containsExactly("a", "b", "c");

        running.get(0).fail(new IllegalStateException("failed"));
        assertThat(started).containsExactly("a", "b", "c", "d");
    }

    @Test
    void work_that_is_cancelled_frees_its_slot() {
        Cancellable a = start("a");
        start("b");
        start("c");

        a.cancel();
        a.cancel();

        assertThat(started).containsExactly("a", "b", "c");
        start("d");
        assertThat(started).doesNotContain("d");
    }

    @Test
    void what_is_cancelled_while_it_waits_never_starts_and_frees_nothing() {
        start("a");
        start("b");
        Cancellable c = start("c");
        start("d");

        c.cancel();
        assertThat(started).containsExactly("a", "b");

        running.get(0).complete("done");
        assertThat(started).containsExactly("a", "b", "d");
    }

    @Test
    void work_that_cannot_even_begin_frees_its_slot() {
        for (int i = 0; i < 5; i++) {
            slots.run(() -> {
                throw new IllegalStateException("no");
            }).subscribe().with(item -> {}, failure -> started.add("failed"));
        }
        assertThat(started).hasSize(5);
    }

    private Cancellable start(String name) {
        return slots.run(() -> {
            started.add(name);
            return Uni.createFrom().<String>emitter(running::add);
        }).subscribe().with(item -> {}, failure -> {});
    }
}
