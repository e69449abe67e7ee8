package io.millrace.stream;

/** Somebody has put something else where a stream of ours belongs. It may be of value to them, so it is not touched. */
public final class NotAStreamException extends RuntimeException {
    NotAStreamException(String key) {
        super("the Redis key " + key + " should be a stream of Millrace and holds something else: delete or rename that key, "
                + "and the queue goes on by itself", null, false, false);
    }
}
