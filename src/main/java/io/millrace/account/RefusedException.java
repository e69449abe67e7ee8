package io.millrace.account;

import java.time.Duration;

/** Ends a request about accounts. The message is for the caller. */
public final class RefusedException extends RuntimeException {

    /** Why. */
    public enum Reason {
        /** Something in the request cannot be used. */
        INVALID(400),
        /** Not that of the account whose token was shown. */
        WRONG_PASSWORD(403),
        /** The caller has no account here: an API key, or a user of another issuer. */
        NO_ACCOUNT(403),
        /** A name and password that do not belong together, or a refresh token that is not, or no more, valid. */
        WRONG_CREDENTIALS(401),
        /** Accounts are made by an admin. */
        SIGN_UP_CLOSED(403),
        NAME_TAKEN(409),
        TOO_MANY_TRIES(429),
        /** More passwords or tokens are being checked than this process can, or the keys of an issuer are out of reach. */
        BUSY(503);

        private final int status;

        Reason(int status) {
            this.status = status;
        }

        public int status() {
            return status;
        }
    }

    private final Reason reason;
    private final String field;
    private final Duration retryAfter;

    private RefusedException(Reason reason, String message, Duration retryAfter) {
        this(reason, "", message, retryAfter);
    }

    private RefusedException(Reason reason, String field, String message, Duration retryAfter) {
        super(message, null, false, false);
        this.reason = reason;
        this.field = field;
        this.retryAfter = retryAfter;
    }

    public Reason reason() {
        return reason;
    }

    /** @return what cannot be used; empty if it is no single field */
    public String field() {
        return field;
    }

    /** @return when to try again, or null if that would not help */
    public Duration retryAfter() {
        return retryAfter;
    }

    static RefusedException invalid(String field, String message) {
        return new RefusedException(Reason.INVALID, field, message, null);
    }

    static RefusedException wrongPassword() {
        return new RefusedException(Reason.WRONG_PASSWORD, "The current password is another one", null);
    }

    static RefusedException noAccount() {
        return new RefusedException(Reason.NO_ACCOUNT,
                "An API key, or a user of another issuer, has neither password nor session", null);
    }

    /** The same for a name that nobody has and for a wrong password. */
    static RefusedException wrongLogin() {
        return new RefusedException(Reason.WRONG_CREDENTIALS, "Wrong username or password", null);
    }

    static RefusedException wrongRefreshToken() {
        return new RefusedException(Reason.WRONG_CREDENTIALS, "The refresh token is not valid, or not any more: log in again",
                null);
    }

    static RefusedException signUpClosed() {
        return new RefusedException(Reason.SIGN_UP_CLOSED, "Sign-up is closed: ask an admin for an account", null);
    }

    static RefusedException nameTaken() {
        return new RefusedException(Reason.NAME_TAKEN, "The username is taken", null);
    }

    static RefusedException tooManyTries(Duration retryAfter) {
        return new RefusedException(Reason.TOO_MANY_TRIES, "Too many tries: wait before the next one", retryAfter);
    }

    /** Nobody can say now whether the token is valid. */
    static RefusedException issuerAway() {
        return new RefusedException(Reason.BUSY, "The keys of the issuer of this token cannot be fetched now: try again",
                IssuerKeys.PAUSE);
    }

    static RefusedException busy() {
        return new RefusedException(Reason.BUSY, "Too many requests at once: try again", Duration.ofSeconds(1));
    }
}
