package io.millrace.bench;

import java.time.Duration;

/**
 * Jobs that wait, and a warm worker that has not begun. While they are queued, jobs that sleep hold all of its slots, so that it
 * reads nothing; then those are cancelled, and at its next heartbeat it starts, with all slots at once.
 *
 * @param jobs a multiple of {@link Bodies#BULK}
 */
record Backlog(Stack stack, ClosedLoop http, int jobs) {

    /** High, because the dispatch window bounds each priority by itself: sleepers take no room from the jobs that count. */
    private static final String SLEEPER = "{\"type\":\"sleep\",\"queue\":\"" + Stack.QUEUE
            + "\",\"priority\":\"high\",\"timeout\":\"PT10M\",\"payload\":{\"ms\":600000}}";
    /** All in one statement, so that one heartbeat ends them all: what a cancel through the API does, but for the audit log. */
    private static final String WAKE = "update job set cancel_requested = true where type = 'sleep' and state = 'PROCESSING'"
            + " and queue = '" + Stack.QUEUE + "' and priority = 0 and phase = 1 and dispatched_at is not null";
    private static final Duration LONGEST_FILL = Duration.ofMinutes(2);
    private static final Duration HOLD_LIMIT = Duration.ofSeconds(10);

    /** Makes the worker busy with nothing. */
    void hold() throws Exception {
        http.run(Bodies.bulkOf(SLEEPER, Stack.SLOTS), 1, LONGEST_FILL, 1, new IdHash());
        Stack.await().atMost(HOLD_LIMIT).until(() -> stack.isTrue("select count(*) = " + Stack.SLOTS
                + " from job where queue = '" + Stack.QUEUE + "' and phase = 1 and state = 'PROCESSING'"));
    }

    /** @return the ids of the jobs that wait now */
    IdHash fill() throws Exception {
        IdHash ids = new IdHash();
        http.run(Bodies.bulkOf(Bodies.echo(Stack.QUEUE), Bodies.BULK), 4, LONGEST_FILL, jobs / Bodies.BULK, ids);
        if (ids.count() != jobs) {
            throw new IllegalStateException("queueing " + jobs + " jobs takes longer than " + LONGEST_FILL);
        }
        return ids;
    }

    /** Lets the worker go and waits until all is done. */
    void release() throws Exception {
        stack.execute(WAKE);
        stack.awaitIdle();
    }

    /** @throws IllegalStateException if a job is missing, was run twice, or was run before all had been queued */
    void verify(String what, IdHash ids) throws Exception {
        stack.verify(what, ids, "type = 'echo' and state = 'COMPLETED' and epoch = 1");
        if (!stack.isTrue("select min(started_at) > max(created_at) from job where type = 'echo'")) {
            throw new IllegalStateException(what + ": the worker began before all jobs were queued");
        }
    }
}
