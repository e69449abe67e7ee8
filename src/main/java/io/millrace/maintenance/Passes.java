package io.millrace.maintenance;

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
     * @return the sum of what the steps did; fails with the first step that fails
     */
    static Uni<Integer> untilNothing(Supplier<Uni<Integer>> step) {
        return Multi.createBy().repeating().uni(step::get).whilst(done -> done > 0)
                .collect().with(Collectors.summingInt(Integer::intValue));
    }
}
