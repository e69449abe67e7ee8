package io.millrace.bench;

import java.time.Duration;
import java.util.List;

/**
 * Everything at once: jobs are accepted one at a time, and the worker runs and settles them meanwhile. Timed until the last one
 * is settled, so a backlog does not flatter it.
 */
record FullPath(Stack stack, ClosedLoop http, Scenario get) implements Scenario {

    private static final long MOST = 90_000;

    @Override
    public String name() {
        return "accept, run and settle at once";
    }

    @Override
    public List<Scenario> floors() {
        return List.of(get);
    }

    @Override
    public Sample run() throws Exception {
        stack.empty();
        IdHash ids = new IdHash();
        Sample sample = stack.measure(() -> {
            long accepted = http.run(Bodies.single(Stack.QUEUE), 64, Duration.ofSeconds(5), MOST, ids);
            stack.awaitIdle();
            return accepted;
        });
        stack.verify(name(), ids, "state = 'COMPLETED' and epoch = 1");
        return sample;
    }
}
