package io.millrace.audit;

import java.util.Locale;
import java.util.UUID;

/**
 * Who does something.
 *
 * @param tenant whose log tells of it; null for nobody's: a failed login with a name that does not exist
 * @param name as the token or key has it
 * @param id of the account or API key; null where it is not known
 */
public record Actor(String tenant, Kind kind, String name, UUID id, Origin origin) {

    /** Tells names apart that look the same: whoever runs another issuer chooses the names of its users. */
    public enum Kind {
        /** Has an account here. */
        USER,
        /** Has a token of another issuer. */
        FEDERATED,
        API_KEY,
        /** Has not proved who they are, or need not. */
        ANYBODY,
        /** A process of ours. */
        SYSTEM;

        public String label() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /** A process of ours, by its settings. */
    public static Actor system(String tenant) {
        return new Actor(tenant, Kind.SYSTEM, "millrace", null, Origin.NONE);
    }

    /** @param tenant null if it is not known */
    public static Actor anybody(String tenant, Origin origin) {
        return new Actor(tenant, Kind.ANYBODY, "anybody", null, origin);
    }

    /** @param target id of what it is done to; null if the action says it all */
    public AuditEntry did(AuditAction action, Object target) {
        return AuditEntry.of(this, action, target, AuditEntry.Outcome.DONE);
    }

    /** Tried to, and was not let. */
    public AuditEntry wasRefused(AuditAction action, Object target) {
        return AuditEntry.of(this, action, target, AuditEntry.Outcome.REFUSED);
    }
}
