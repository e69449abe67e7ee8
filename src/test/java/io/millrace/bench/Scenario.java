package io.millrace.bench;

import java.util.List;

/** One thing to measure, again and again. */
interface Scenario {

    String name();

    /** @return what this is compared to; none if this is a floor itself */
    default List<Scenario> floors() {
        return List.of();
    }

    /** @throws IllegalStateException if what was done is not found to be done */
    Sample run() throws Exception;
}
