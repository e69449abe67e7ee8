package io.millrace.account;

import jakarta.inject.Singleton;

import io.quarkus.security.identity.SecurityIdentity;

/** Whose jobs a request is about: what its token says, and nothing else of the request. */
@Singleton
public class Tenant {
    /** That of everybody where no accounts are asked for, and of the first admin. */
    public static final String DEFAULT = "default";

    static final String ATTRIBUTE = "tenant";

    private final SecurityIdentity identity;

    Tenant(SecurityIdentity identity) {
        this.identity = identity;
    }

    /** Only while the method of a resource is being called: what runs later has no request any more. */
    public String current() {
        String tenant = identity.getAttribute(ATTRIBUTE);
        if (tenant == null) {
            throw new IllegalStateException("a route without a rule: its caller has no tenant");
        }
        return tenant;
    }
}
