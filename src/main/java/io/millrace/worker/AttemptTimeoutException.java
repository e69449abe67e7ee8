package io.millrace.worker;

import java.time.Duration;

/** An attempt ran longer than its type or job allows. */
public final class AttemptTimeoutException extends RuntimeException {
    AttemptTimeoutException(Duration timeout) {
        super("the attempt ran longer than its timeout of " + timeout, null, false, false);
    }
}
