package io.millrace.handler.trial;

/** A failure that somebody asked for. */
final class TrialFailureException extends RuntimeException {
    TrialFailureException(String message) {
        super(message);
    }
}
