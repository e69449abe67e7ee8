package io.millrace.audit;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** What the audit log tells of. {@code docs/security.md} has the list. */
public enum AuditAction {
    SIGN_UP,
    LOGIN,
    /** Ends one session or all of an account. */
    LOGOUT,
    /** A refresh token was used twice: its session has been ended. */
    TOKEN_REUSE,
    /** Ends all sessions of the account. */
    PASSWORD_CHANGE,
    ACCOUNT_MAKE,
    ACCOUNT_DELETE,
    API_KEY_MAKE,
    API_KEY_REVOKE,
    JOB_CANCEL,
    JOB_RETRY;

    /** As the log has it. */
    public String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    public static Optional<AuditAction> labelled(String label) {
        return Arrays.stream(values()).filter(action -> action.label().equals(label)).findFirst();
    }

    public static List<String> labels() {
        return Arrays.stream(values()).map(AuditAction::label).toList();
    }
}
