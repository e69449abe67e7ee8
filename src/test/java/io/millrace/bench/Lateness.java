package io.millrace.bench;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import io.millrace.support.TestServers;

/** By how much handlers start after the time that their jobs were due at: 2,000 at one instant, and 2,000 one after the other. */
record Lateness(Stack stack, ClosedLoop http) implements Part {

    private static final int JOBS = 2_000;
    /** Handed in as one request well before the first is due. */
    private static final Duration AHEAD = Duration.ofSeconds(2);
    private static final Duration SPREAD = Duration.ofSeconds(10);
    private static final int ROUNDS = 3;

    @Override
    public String name() {
        return "lateness";
    }

    @Override
    public void run(Report report) throws Exception {
        for (int round = 0; round < ROUNDS; round++) {
            report.add(String.format(Locale.ROOT, "%,d due at one instant: handler starts", JOBS), lateness(Duration.ZERO));
            report.add(String.format(Locale.ROOT, "%,d due over %d s: handler starts", JOBS, SPREAD.toSeconds()),
                    lateness(SPREAD.dividedBy(JOBS)));
        }
    }

    /** @param apart between the times that two jobs are due at */
    private Times lateness(Duration apart) throws Exception {
        stack.empty();
        Instant first = Instant.now().plus(AHEAD).truncatedTo(ChronoUnit.MILLIS);
        String jobs = IntStream.range(0, JOBS).mapToObj(i -> job(first.plus(apart.multipliedBy(i))))
                .collect(Collectors.joining(",", "[", "]"));
        IdHash ids = new IdHash();
        http.run(Bodies.bulkCall(jobs, JOBS), 1, AHEAD, 1, ids);
        if (Instant.now().isAfter(first)) {
            throw new IllegalStateException(name() + ": handing in " + JOBS + " jobs took longer than " + AHEAD);
        }
        stack.awaitIdle();
        stack.verify(name(), ids, "state = 'COMPLETED' and epoch = 1");
        return new Times(read());
    }

    private static String job(Instant due) {
        return "{\"type\":\"clock\",\"queue\":\"" + Stack.QUEUE + "\",\"runAt\":\"" + due + "\",\"payload\":" + Bodies.PAYLOAD
                + "}";
    }

    private long[] read() throws SQLException {
        long[] lateness = new long[JOBS];
        try (Connection database = TestServers.connect(stack.databaseUrl());
                Statement statement = database.createStatement();
                ResultSet rows = statement.executeQuery(
                        "select (result->>'startedAtUs')::bigint - (extract(epoch from run_at) * 1000000)::bigint from job")) {
            for (int i = 0; i < JOBS; i++) {
                rows.next();
                lateness[i] = rows.getLong(1);
                if (lateness[i] < 0) {
                    throw new IllegalStateException("a job started " + -lateness[i] + " us before it was due");
                }
            }
        }
        return lateness;
    }
}
