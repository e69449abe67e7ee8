package io.millrace.batch;

import java.time.Duration;

/** More items wait, or for longer, than the limits of a batch allow: the caller should slow down and try again. Nothing was done. */
public final class BatchFullException extends RuntimeException {
    public BatchFullException(String name, int waiting) {
        // No stack trace: under overload this is thrown thousands of times a second, always from the same place.
        super("the " + name + " queue is full (" + waiting + " waiting)", null, false, false);
    }

    /** @param limit how long the item waited in vain */
    public BatchFullException(String name, Duration limit) {
        super("the " + name + " queue did not move on within " + limit, null, false, false);
    }
}
