package io.millrace.bench;

import java.time.Duration;
import java.util.List;

/**
 * Jobs that wait, run by one warm worker. While they are queued, jobs that sleep hold all of its slots, so that it reads nothing;
 * then those are cancelled, and at its next heartbeat the worker starts, with all slots at once. Timed by PostgreSQL, from the
 * first claim to the last settle; CPU time and WAL are those of the whole wait, in which nothing else happens.
 *
 * @param jobs up to the dispatch window of 100,000 all stand on the stream; the rest of more comes there through the relay
 */
record Drain(Stack stack, ClosedLoop http, int jobs, Scenario updates, Scenario redis) implements Scenario {

    /** High, because the dispatch window bounds each priority by itself: sleepers take no room from the jobs that count. */
    private static final String SLEEPER = "{\"type\":\"sleep\",\"queue\":\"" + Stack.QUEUE
            + "\",\"priority\":\"high\",\"timeout\":\"PT10M\",\"payload\":{\"ms\":600000}}";
    /** All in one statement, so that one heartbeat ends them all: what a cancel through the API does, but for the audit log. */
    private static final String WAKE = "update job set cancel_requested = true where type = 'sleep' and state = 'PROCESSING'"
            + " and queue = '" + Stack.QUEUE + "' and priority = 0 and phase = 1 and dispatched_at is not null";
    private static final int A_MILLION = 1_000_000;
    private static final Duration LONGEST_FILL = Duration.ofMinutes(2);

    @Override
    public String name() {
        return "drain of " + (jobs < A_MILLION ? jobs / 1_000 + "k" : jobs / A_MILLION + "M") + ", one worker";
    }

    @Override
    public List<Scenario> floors() {
        return List.of(updates, redis);
    }

    @Override
    public Sample run() throws Exception {
        stack.empty();
        http.run(Bodies.bulkOf(SLEEPER, Stack.SLOTS), 1, LONGEST_FILL, 1, new IdHash());
        Stack.await().atMost(Duration.ofSeconds(10)).until(this::isHeld);
        IdHash ids = new IdHash();
        http.run(Bodies.bulkOf(Bodies.echo(Stack.QUEUE), Bodies.BULK), 4, LONGEST_FILL, jobs / Bodies.BULK, ids);

        Sample sample = stack.measure(() -> {
            stack.execute(WAKE);
            stack.awaitIdle();
            return ids.count();
        });

        if (ids.count() != jobs) {
            throw new IllegalStateException("queueing " + jobs + " jobs takes longer than " + LONGEST_FILL);
        }
        stack.verify(name(), ids, "type = 'echo' and state = 'COMPLETED' and epoch = 1");
        if (!stack.isTrue("select min(started_at) > max(created_at) from job where type = 'echo'")) {
            throw new IllegalStateException(name() + ": the worker began before all jobs were queued");
        }
        return sample.in(Double.parseDouble(
                stack.ask("select extract(epoch from max(finished_at) - min(started_at)) from job where type = 'echo'")));
    }

    private boolean isHeld() throws Exception {
        return stack.isTrue("select count(*) = " + Stack.SLOTS
                + " from job where queue = '" + Stack.QUEUE + "' and phase = 1 and state = 'PROCESSING'");
    }
}
