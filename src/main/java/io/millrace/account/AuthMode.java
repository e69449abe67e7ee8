package io.millrace.account;

/** {@code millrace.auth}: whether callers have to say who they are. */
public enum AuthMode {
    REQUIRED,
    /** Everybody may do everything, in one tenant. For a trial, on loopback. */
    OPEN
}
