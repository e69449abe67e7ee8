package io.millrace.batch;

import java.time.Duration;

/**
 * The bounds of one {@link Batcher}.
 *
 * @param items most items in one batch
 * @param bytes most bytes in one batch; a single larger item travels alone
 * @param waiting most items that may wait for a place in a batch; one more is refused
 * @param waitingBytes most bytes that may wait; one more item is refused, unless nothing waits
 * @param flights how many batches may be under way at once; 1 makes the largest batches
 * @param timeout how long one flush may take before its items fail with {@link BatchTimeoutException}; and how long an item may
 *        wait for its flush to begin
 */
public record BatchLimits(int items, long bytes, int waiting, long waitingBytes, int flights, Duration timeout) {

    public BatchLimits {
        require(items > 0, "items");
        require(bytes > 0, "bytes");
        require(waiting > 0, "waiting");
        require(waitingBytes > 0, "waitingBytes");
        require(flights > 0, "flights");
        require(timeout.toMillis() > 0, "timeout");
    }

    /** For items that are small, or bounded elsewhere: any number of bytes may wait. */
    public BatchLimits(int items, long bytes, int waiting, int flights, Duration timeout) {
        this(items, bytes, waiting, Long.MAX_VALUE, flights, timeout);
    }

    private static void require(boolean held, String what) {
        if (!held) {
            throw new IllegalArgumentException(what + " of a batcher must be positive");
        }
    }
}
