package io.millrace.bench;

import java.time.Duration;
import java.util.List;

/** Jobs accepted one at a time: validated, committed, their ids on a stream that nobody reads, answered 201. */
record SinglePosts(Stack stack, ClosedLoop http, Scenario get, Duration time) implements Scenario {

    /** Below the dispatch window: past it, ids are left to the relay, and the figure would be another. */
    private static final long MOST = 90_000;

    @Override
    public String name() {
        return "POST of one, 64 connections";
    }

    @Override
    public List<Scenario> floors() {
        return List.of(get);
    }

    @Override
    public Sample run() throws Exception {
        stack.empty();
        Caller.Call call = Bodies.single(stack.unreadQueue());
        IdHash ids = new IdHash();
        Sample sample = stack.measure(() -> http.run(call, 64, time, MOST, ids));
        stack.verify(name(), ids, "state = 'PENDING'");
        return sample;
    }
}
