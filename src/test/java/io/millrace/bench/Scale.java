package io.millrace.bench;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;

/**
 * One, two and three workers on jobs that take 10 ms and no CPU, with few slots each: what bounds them is how soon a slot that
 * comes free has its next job, and whether they stand in each other's way.
 */
record Scale(Stack stack, ClosedLoop http) implements Part {

    private static final String QUEUE = "scale";
    private static final int MOST_WORKERS = 3;
    private static final int SLOTS = 8;
    private static final String TEN_MS = Bodies.job("sleep", QUEUE, "{\"ms\":10}");
    /** Two seconds of work for a new worker. */
    private static final int WARM_UP_JOBS = 2_000;
    /** Two and a half seconds of work for each. */
    private static final int JOBS = 2_000;
    private static final int ROUNDS = 3;

    @Override
    public String name() {
        return "scale";
    }

    @Override
    public void run(Report report) throws Exception {
        Deque<App> workers = new ArrayDeque<>();
        try {
            double one = 0;
            for (int count = 1; count <= MOST_WORKERS; count++) {
                workers.push(stack.launchWorker("worker-scale-" + count, QUEUE, SLOTS));
                String what = count + (count == 1 ? " worker" : " workers") + " of " + SLOTS + " slots, jobs of 10 ms";
                double[] rates = rates(count);
                for (double rate : rates) {
                    report.add(what, "jobs/s", rate);
                }
                one = count == 1 ? rates[ROUNDS / 2] : one;
                report.add(what + ": times that of one", "x", rates[ROUNDS / 2] / one);
            }
        } finally {
            workers.forEach(App::close);
        }
    }

    /** @return jobs a second of each round, in order of size */
    private double[] rates(int workers) throws Exception {
        rate(WARM_UP_JOBS * workers);
        double[] rates = new double[ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            rates[round] = rate(JOBS * workers);
        }
        Arrays.sort(rates);
        return rates;
    }

    private double rate(int jobs) throws Exception {
        stack.empty();
        IdHash ids = new IdHash();
        http.run(Bodies.bulkOf(TEN_MS, Bodies.BULK), 1, Duration.ofSeconds(30), jobs / Bodies.BULK, ids);
        stack.awaitIdle(QUEUE);
        stack.verify(name(), ids, "state = 'COMPLETED' and epoch = 1");
        return jobs / Double.parseDouble(stack.ask("select extract(epoch from max(finished_at) - min(started_at)) from job"));
    }
}
