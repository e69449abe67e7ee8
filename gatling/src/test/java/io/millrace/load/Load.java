package io.millrace.load;

import static io.gatling.javaapi.core.CoreDsl.global;

import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

import io.gatling.javaapi.core.Assertion;
import io.gatling.javaapi.core.PopulationBuilder;

/**
 * Users, and what has to hold when they are done.
 *
 * @param whenDone frees what the users needed
 */
record Load(List<PopulationBuilder> populations, List<Assertion> assertions, Runnable whenDone) {

    Load(List<PopulationBuilder> populations, List<Assertion> assertions) {
        this(populations, assertions, () -> {});
    }

    /** All of them at once. */
    static Load of(Load... loads) {
        return new Load(Stream.of(loads).flatMap(load -> load.populations.stream()).toList(),
                Stream.of(loads).flatMap(load -> load.assertions.stream()).toList(),
                () -> List.of(loads).forEach(load -> load.whenDone.run()));
    }

    /** @return how many users Gatling injects at a constant rate */
    static int users(int rate, Duration duration) {
        return Math.toIntExact(Math.round(rate * (duration.toMillis() / 1000.0)));
    }

    static Assertion nothingFails() {
        return global().failedRequests().count().is(0L);
    }

    static int ms(Duration duration) {
        return Math.toIntExact(duration.toMillis());
    }
}
