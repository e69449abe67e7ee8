package io.millrace.handler.email;

/** A mail was not handed over, and may be next time. */
final class MailNotSentException extends RuntimeException {
    MailNotSentException(String message) {
        super(message, null, false, false);
    }
}
