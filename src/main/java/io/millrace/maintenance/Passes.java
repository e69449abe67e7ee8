package io.millrace.maintenance;

import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;

import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;

/** Repeats the steps of a pass. */
final class Passes {
    private Passes() {}

    /**
     * Repeats a step until it says that it found nothing to do; a loop, so that a pass may have any number of steps.
     *
     * @param limit a step that takes longer fails
     * @return the sum of what the steps did; fails with the first step that fails
     */
    static Uni<Integer> untilNothing(Duration limit, Supplier<Uni<Integer>> step) {
        return untilNothing(() -> within(limit, Uni.createFrom().deferred(step::get)));
    }

    /** For steps that have limits within. */
    static Uni<Integer> untilNothing(Supplier<Uni<Integer>> step) {
        return Multi.createBy().repeating().uni(step::get).whilst(done -> done > 0)
                .collect().with(Collectors.summingInt(Integer::intValue));
    }

    /** So that a connection that never answers cannot end a chore for good. */
    static <T> Uni<T> within(Duration limit, Uni<T> step) {
        return step.ifNoItem().after(limit).failWith(() -> new IllegalStateException("no answer within " + limit));
    }

    /** Does one thing after the other. @return the sum of what they did; fails with the first that fails */
    static <T> Uni<Integer> sumOver(List<T> things, Function<T, Uni<Integer>> step) {
        return Multi.createFrom().iterable(things).onItem().transformToUniAndConcatenate(step::apply)
                .collect().with(Collectors.summingInt(Integer::intValue));
    }
}
