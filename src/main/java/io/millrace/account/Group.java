package io.millrace.account;

import java.util.Set;

/** What a caller may do; {@code docs/security.md} has the table. Strings, because annotations and tokens hold them. */
public final class Group {
    /** Hands jobs in, looks at them, cancels and retries them. */
    public static final String PRODUCER = "producer";
    /** Looks. */
    public static final String VIEWER = "viewer";
    /** Looks, cancels and retries, but hands nothing in. */
    public static final String OPERATOR = "operator";
    /** Everything, and accounts and API keys. */
    public static final String ADMIN = "admin";

    static final Set<String> ALL = Set.of(PRODUCER, VIEWER, OPERATOR, ADMIN);

    private Group() {}
}
