package io.millrace.bench;

import java.time.Duration;
import java.util.List;

/**
 * 50,000 jobs that wait, run by one warm worker. It is kept from reading while they are queued by jobs that sleep in all of its
 * slots; when those wake up, all at once, it starts. Timed by PostgreSQL, from the first claim to the last settle; the CPU time
 * is that of the whole wait, in which nothing else happens.
 */
record Drain(Stack stack, ClosedLoop http, Scenario updates, Scenario redis) implements Scenario {

    private static final int JOBS = 50_000;
    private static final Duration SLEEP = Duration.ofSeconds(6);
    private static final Duration LONGEST_SLEEP = Duration.ofSeconds(24);

    @Override
    public String name() {
        return "drain of 50,000, one worker";
    }

    @Override
    public List<Scenario> floors() {
        return List.of(updates, redis);
    }

    @Override
    public Sample run() throws Exception {
        Duration sleep = SLEEP;
        while (true) {
            Sample sample = drain(sleep);
            if (sample != null) {
                return sample;
            }
            if (sleep.compareTo(LONGEST_SLEEP) >= 0) {
                throw new IllegalStateException("queueing " + JOBS + " jobs takes longer than " + sleep);
            }
            sleep = sleep.multipliedBy(2);
        }
    }

    /** @return null if the worker woke up before all were queued: then it was no drain */
    private Sample drain(Duration sleep) throws Exception {
        String start = stack.ask("select clock_timestamp()");
        post(Bodies.job("sleep", Stack.QUEUE, "{\"ms\":" + sleep.toMillis() + "}"), Stack.SLOTS, 1);
        Stack.await().atMost(Duration.ofSeconds(10)).until(() -> count("PROCESSING", "sleep", start) == Stack.SLOTS);
        post(Bodies.echo(Stack.QUEUE), Bodies.BULK, JOBS / Bodies.BULK);

        Sample sample = stack.measure(() -> {
            stack.awaitIdle();
            return (long) JOBS;
        });

        String jobs = " from job where type = 'echo' and created_at > '" + start + "'";
        stack.check(name(), JOBS, "select count(*)" + jobs + " and state = 'COMPLETED' and epoch = 1");
        boolean wasQueued = "t".equals(stack.ask("select min(started_at) > max(created_at)" + jobs));
        return wasQueued
                ? sample.in(
                        Double.parseDouble(stack.ask("select extract(epoch from max(finished_at) - min(started_at))" + jobs)))
                : null;
    }

    private void post(String job, int perCall, int calls) throws Exception {
        http.run(Bodies.bulkOf(job, perCall), 4, Duration.ofSeconds(30), calls);
    }

    /** By the small index of open jobs. */
    private long count(String state, String type, String since) throws Exception {
        return Long.parseLong(stack.ask("select count(*) from job where phase = 1 and dispatched_at > '" + since
                + "' and queue = '" + Stack.QUEUE + "' and state = '" + state + "' and type = '" + type + "'"));
    }
}
