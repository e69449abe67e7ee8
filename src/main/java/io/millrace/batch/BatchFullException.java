package io.millrace.batch;

/** More items wait for a batch than its limits allow: the caller should slow down and try again. Nothing was done. */
public final class BatchFullException extends RuntimeException {
    public BatchFullException(String name, int waiting) {
        // No stack trace: under overload this is thrown thousands of times a second, always from the same place.
        super("the " + name + " queue is full (" + waiting + " waiting)", null, false, false);
    }
}
