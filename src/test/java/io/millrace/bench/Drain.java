package io.millrace.bench;

import java.util.List;

/**
 * A {@link Backlog} run by one warm worker. Timed by PostgreSQL, from the first claim to the last settle; CPU time and WAL are
 * those of the whole wait, in which nothing else happens.
 *
 * @param jobs up to the dispatch window of 100,000 all stand on the stream; the rest of more comes there through the relay
 */
record Drain(Stack stack, ClosedLoop http, int jobs, Scenario updates, Scenario redis) implements Scenario {

    private static final int A_MILLION = 1_000_000;

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
        Backlog backlog = new Backlog(stack, http, jobs);
        backlog.hold();
        IdHash ids = backlog.fill();
        Sample sample = stack.measure(() -> {
            backlog.release();
            return ids.count();
        });
        backlog.verify(name(), ids);
        return sample.in(Double.parseDouble(
                stack.ask("select extract(epoch from max(finished_at) - min(started_at)) from job where type = 'echo'")));
    }
}
