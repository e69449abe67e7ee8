package io.millrace.egress;

import java.time.Duration;
import java.util.Optional;

/** The call was allowed but brought no usable answer. */
public class EgressFailedException extends RuntimeException {

    public enum Kind {
        /** An answer with a status other than 2xx; see {@link #status()}. */
        STATUS,
        /** More bytes than the caller wanted. */
        TOO_LARGE,
        /** No byte, or no end, in time. */
        TIMEOUT,
        /** Not connected: the name is unknown, nobody listens or answers, the certificate is wrong. Nothing was sent. */
        UNREACHABLE,
        /** The connection broke after the request was sent, or what came was not HTTP. */
        BROKEN
    }

    private final Kind kind;
    private final int status;
    private final Duration retryAfter;

    private EgressFailedException(Kind kind, int status, Duration retryAfter, String message, Throwable cause) {
        super(message, cause, false, false);
        this.kind = kind;
        this.status = status;
        this.retryAfter = retryAfter;
    }

    /** @param retryAfter what the server asked for; null if it asked for nothing */
    static EgressFailedException status(String host, int status, Duration retryAfter) {
        return new EgressFailedException(Kind.STATUS, status, retryAfter, host + " answered " + status, null);
    }

    static EgressFailedException tooLarge(String host, long maxBytes) {
        return new EgressFailedException(Kind.TOO_LARGE, 0, null,
                "the answer of " + host + " is larger than " + maxBytes + " bytes",
                null);
    }

    static EgressFailedException timeout(String message) {
        return new EgressFailedException(Kind.TIMEOUT, 0, null, message, null);
    }

    static EgressFailedException unreachable(String message, Throwable cause) {
        return new EgressFailedException(Kind.UNREACHABLE, 0, null, message, cause);
    }

    static EgressFailedException broken(String message, Throwable cause) {
        return new EgressFailedException(Kind.BROKEN, 0, null, message, cause);
    }

    public Kind kind() {
        return kind;
    }

    /** @return the HTTP status; 0 unless the kind is {@link Kind#STATUS} */
    public int status() {
        return status;
    }

    /** @return the {@code Retry-After} of the answer, if it had one that could be read */
    public Optional<Duration> retryAfter() {
        return Optional.ofNullable(retryAfter);
    }

    /** @return true if the same call may work later: everything but a 4xx (408, 425 and 429 apart) or an answer too large */
    public boolean isTransient() {
        return switch (kind) {
            case STATUS -> status >= 500 || status == 408 || status == 425 || status == 429;
            case TOO_LARGE -> false;
            case TIMEOUT, UNREACHABLE, BROKEN -> true;
        };
    }
}
