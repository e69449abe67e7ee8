package io.millrace.stream;

import io.millrace.job.Priority;

/** Every key Millrace uses in Redis. The queue in braces is the cluster hash tag: all keys of a queue live in one slot. */
public final class RedisKeys {
    /** The consumer group of every job stream. */
    public static final String GROUP = "workers";

    private RedisKeys() {}

    /** The stream of the ids that wait, for one queue and priority. */
    static String stream(String queue, Priority priority) {
        return tag(queue) + priority.label();
    }

    /** Sorted set of what is due within the next minutes: member {@code priority:job id}, score due time in epoch ms. */
    static String delayed(String queue) {
        return tag(queue) + "delayed";
    }

    /** Stream of dead letters: a hint, the truth is the state FAILED. */
    static String deadLetters(String queue) {
        return tag(queue) + "dlq";
    }

    private static String tag(String queue) {
        return "{" + queue + "}:";
    }
}
