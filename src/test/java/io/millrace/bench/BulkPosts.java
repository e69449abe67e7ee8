package io.millrace.bench;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** Jobs accepted a thousand at a time, as a JSON array, onto a stream that nobody reads. */
record BulkPosts(Stack stack, ClosedLoop http, Scenario insert, AtomicInteger runs) implements Scenario {

    private static final int JOBS = 60_000;

    BulkPosts(Stack stack, ClosedLoop http, Scenario insert) {
        this(stack, http, insert, new AtomicInteger());
    }

    @Override
    public String name() {
        return "POST of 1,000, 4 connections";
    }

    @Override
    public List<Scenario> floors() {
        return List.of(insert);
    }

    @Override
    public Sample run() throws Exception {
        String queue = "bulk-" + runs.incrementAndGet();
        ClosedLoop.Call call = Bodies.bulkOf(Bodies.echo(queue), Bodies.BULK);
        Sample sample = stack
                .measure(() -> Bodies.BULK * http.run(call, 4, Duration.ofSeconds(20), JOBS / Bodies.BULK));
        stack.check(name(), sample.jobs(), "select count(*) from job where state = 'PENDING' and queue = '" + queue + "'");
        return sample;
    }
}
