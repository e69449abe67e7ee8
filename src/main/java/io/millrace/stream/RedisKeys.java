package io.millrace.stream;

import java.net.URI;

import io.millrace.job.Priority;
import io.millrace.job.Sha256;

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

    /** The bytes of a downloaded image; a hash, since a URL may be long and may hold a signature. */
    public static String imageCache(URI url) {
        return "image:" + Sha256.hex(url.toString());
    }

    /** A request with this idempotency key was seen: a hint to look in PostgreSQL before anything is stored. */
    public static String idempotency(String tenant, String key) {
        return "idem:" + Sha256.hex(tenant + '\n' + key);
    }

    /** The effect with this key was done. */
    public static String effect(String tenant, String key) {
        return "effect:" + Sha256.hex(tenant + '\n' + key);
    }

    /** The tokens of a tenant for what is limited under this name. */
    public static String rate(String tenant, String limited) {
        return "rate:" + limited + ":" + Sha256.hex(tenant);
    }

    /** A random value that is gone when Redis has forgotten what it knew of the queue. */
    static String incarnation(String queue) {
        return tag(queue) + "incarnation";
    }

    /** Somebody is counting, or has just done so. */
    public static String censusTurn() {
        return "census:turn";
    }

    /** What the last count found. */
    public static String census() {
        return "census:counts";
    }

    private static String tag(String queue) {
        return "{" + queue + "}:";
    }
}
