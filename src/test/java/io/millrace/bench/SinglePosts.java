package io.millrace.bench;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** Jobs accepted one at a time: validated, committed, their ids on a stream that nobody reads, answered 201. */
record SinglePosts(Stack stack, ClosedLoop http, Scenario get, AtomicInteger runs) implements Scenario {

    /** Below the dispatch window: past it, ids are left to the relay, and the figure would be another. */
    private static final long MOST = 90_000;

    SinglePosts(Stack stack, ClosedLoop http, Scenario get) {
        this(stack, http, get, new AtomicInteger());
    }

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
        String queue = "single-" + runs.incrementAndGet();
        Sample sample = stack.measure(() -> http.run(Bodies.single(queue), 64, Duration.ofSeconds(4), MOST));
        stack.check(name(), sample.jobs(), "select count(*) from job where state = 'PENDING' and queue = '" + queue + "'");
        return sample;
    }
}
