package io.millrace.bench;

import java.util.Collections;

/** What is handed in. */
final class Bodies {
    /** About 200 bytes, as a job that names a few things by their ids has. */
    static final String PAYLOAD = "{\"orderId\":\"01a2032e-cd67-7000-9711-579058cc25ec\",\"customer\":{\"id\":4711,"
            + "\"email\":\"jane.doe@example.org\",\"locale\":\"en-GB\"},\"template\":\"order-confirmation\",\"items\":[101,102,103],"
            + "\"total\":\"129.90\"}";

    static final int BULK = 1_000;

    private Bodies() {}

    /** A job that does nothing: the handler returns its payload. */
    static String echo(String queue) {
        return job("echo", queue, PAYLOAD);
    }

    static String bulk(String job, int count) {
        return "[" + String.join(",", Collections.nCopies(count, job)) + "]";
    }

    static String job(String type, String queue, String payload) {
        return "{\"type\":\"" + type + "\",\"queue\":\"" + queue + "\",\"payload\":" + payload + "}";
    }

    static Caller.Call single(String queue) {
        return new Caller.Call("/v1/jobs", echo(queue), 201, "{\"id\":");
    }

    static Caller.Call bulkOf(String job, int count) {
        return bulkCall(bulk(job, count), count);
    }

    /** @param jobs a JSON array with {@code count} of them */
    static Caller.Call bulkCall(String jobs, int count) {
        return new Caller.Call("/v1/jobs/bulk", jobs, 200, "{\"accepted\":" + count + ",\"refused\":0,");
    }
}
