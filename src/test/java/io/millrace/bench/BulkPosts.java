package io.millrace.bench;

import java.time.Duration;
import java.util.List;

/** Jobs accepted a thousand at a time, as a JSON array, onto a stream that nobody reads. */
record BulkPosts(Stack stack, ClosedLoop http, Scenario insert) implements Scenario {

    private static final int JOBS = 60_000;

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
        stack.empty();
        Caller.Call call = Bodies.bulkOf(Bodies.echo(stack.unreadQueue()), Bodies.BULK);
        IdHash ids = new IdHash();
        Sample sample = stack
                .measure(() -> Bodies.BULK * http.run(call, 4, Duration.ofSeconds(20), JOBS / Bodies.BULK, ids));
        stack.verify(name(), ids, "state = 'PENDING'");
        return sample;
    }
}
