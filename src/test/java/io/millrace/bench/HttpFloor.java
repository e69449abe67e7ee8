package io.millrace.bench;

import java.time.Duration;

/** What the API server and the load generator do between them when there is nothing to do: a GET that touches no store. */
record HttpFloor(Stack stack, ClosedLoop http, Duration time) implements Scenario {

    private static final Caller.Call GET = new Caller.Call("/v1/job-types", null, 200, "");

    @Override
    public String name() {
        return "HTTP: GET, 64 connections";
    }

    @Override
    public Sample run() throws Exception {
        return stack.measure(() -> http.run(GET, 64, time, Long.MAX_VALUE, new IdHash()));
    }
}
