package io.millrace.local;

/** The local servers cannot be had. The message is for a person: what is wrong, what to do, the end of the server's log. */
public final class LocalServersException extends RuntimeException {

    private static final long serialVersionUID = 1;

    LocalServersException(String message) {
        super(message);
    }

    LocalServersException(String message, Throwable cause) {
        super(message, cause);
    }
}
