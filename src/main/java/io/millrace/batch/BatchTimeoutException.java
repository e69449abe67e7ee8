package io.millrace.batch;

import java.time.Duration;

/** A flush did not answer in time. Whether its effect took place is unknown. */
public final class BatchTimeoutException extends RuntimeException {
    public BatchTimeoutException(String name, Duration timeout) {
        super("the " + name + " batch did not answer within " + timeout, null, false, false);
    }
}
