package io.millrace.stream;

import java.time.Duration;

/** Redis did not answer in time. Whether the command took effect is unknown. */
public final class RedisTimeoutException extends RuntimeException {
    RedisTimeoutException(Duration timeout) {
        super("Redis did not answer within " + timeout, null, false, false);
    }
}
