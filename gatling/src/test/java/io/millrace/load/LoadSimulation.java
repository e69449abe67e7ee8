package io.millrace.load;

import java.util.ArrayList;
import java.util.List;

import io.gatling.javaapi.core.Assertion;
import io.gatling.javaapi.core.Simulation;

/** A run: it fails if a request failed, or if the load does not hold what it has to. */
abstract class LoadSimulation extends Simulation {
    private final Load load;

    LoadSimulation(Load load) {
        this.load = load;
        List<Assertion> assertions = new ArrayList<>(load.assertions());
        assertions.add(Load.nothingFails());
        setUp(load.populations()).protocols(Api.protocol()).assertions(assertions);
    }

    @Override
    public void after() {
        load.whenDone().run();
    }
}
