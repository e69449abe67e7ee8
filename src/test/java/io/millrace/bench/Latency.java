package io.millrace.bench;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;

import io.millrace.support.TestServers;

/**
 * From POST to answer, to the handler, to the end, under a light and under an even load, on processes that are warm. The type
 * {@code clock} returns the time of its start, taken by its worker on the clock that the generator reads; the end is
 * {@code finished_at}, which is when the statement that records it begins, its commit apart.
 */
record Latency(Stack stack, Caller caller) implements Part {

    private static final int WARM_UP_PER_SECOND = 1_000;
    private static final Duration WARM_UP = Duration.ofSeconds(10);
    private static final Duration ROUND = Duration.ofSeconds(10);
    private static final int ROUNDS = 3;

    @Override
    public String name() {
        return "latency";
    }

    @Override
    public void run(Report report) throws Exception {
        send(WARM_UP_PER_SECOND, WARM_UP);
        for (int round = 0; round < ROUNDS; round++) {
            report(report, 1_000);
            report(report, 100);
        }
    }

    private void report(Report report, int perSecond) throws Exception {
        OpenLoop.Result sent = send(perSecond, ROUND);
        Map<UUID, long[]> rows = rows();
        int jobs = sent.requests().length;
        long[] toAnswer = new long[jobs];
        long[] toStart = new long[jobs];
        long[] toEnd = new long[jobs];
        for (int i = 0; i < jobs; i++) {
            OpenLoop.Sent job = sent.requests()[i];
            long[] startAndEnd = rows.get(job.jobId());
            toAnswer[i] = job.answerUs();
            toStart[i] = startAndEnd[0] - job.plannedEpochUs();
            toEnd[i] = startAndEnd[1] - job.plannedEpochUs();
        }
        String load = perSecond + "/s: POST sent -> ";
        report.add(load + "answered 201", new Times(toAnswer));
        report.add(load + "handler starts", new Times(toStart));
        report.add(load + "completed", new Times(toEnd));
        report.add(perSecond + "/s: sent more than 1 ms late", "requests", sent.late());
    }

    private OpenLoop.Result send(int perSecond, Duration time) throws Exception {
        stack.empty();
        Caller.Call call = new Caller.Call("/v1/jobs", Bodies.job("clock", Stack.QUEUE, Bodies.PAYLOAD), 201, "{\"id\":");
        OpenLoop.Result sent = OpenLoop.run(caller, call, perSecond, time);
        stack.awaitIdle();
        IdHash ids = new IdHash();
        for (OpenLoop.Sent request : sent.requests()) {
            ids.add(request.jobId());
        }
        stack.verify(name(), ids, "state = 'COMPLETED' and epoch = 1");
        return sent;
    }

    /** @return by job, when its handler started and when it ended, in microseconds since 1970 */
    private Map<UUID, long[]> rows() throws Exception {
        Map<UUID, long[]> found = new HashMap<>();
        try (Connection database = TestServers.connect(stack.databaseUrl());
                Statement statement = database.createStatement();
                ResultSet rows = statement.executeQuery(
                        "select id, result->>'startedAtUs', (extract(epoch from finished_at) * 1000000)::bigint from job")) {
            while (rows.next()) {
                found.put(rows.getObject(1, UUID.class), new long[]{rows.getLong(2), rows.getLong(3)});
            }
        }
        return found;
    }
}
