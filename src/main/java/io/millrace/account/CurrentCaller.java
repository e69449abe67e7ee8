package io.millrace.account;

import jakarta.inject.Singleton;

import io.millrace.audit.Actor;
import io.millrace.audit.Origin;
import io.quarkus.security.identity.SecurityIdentity;
import io.quarkus.vertx.http.runtime.CurrentVertxRequest;

/** Who sends a request. Like {@link Tenant}, only while the method of a resource is being called. */
@Singleton
public class CurrentCaller {
    static final String ATTRIBUTE = "caller";

    private final SecurityIdentity identity;
    private final CurrentVertxRequest request;

    CurrentCaller(SecurityIdentity identity, CurrentVertxRequest request) {
        this.identity = identity;
        this.request = request;
    }

    public Caller get() {
        Caller caller = identity.getAttribute(ATTRIBUTE);
        if (caller == null) {
            throw new IllegalStateException("a route without a rule: nobody knows its caller");
        }
        return caller;
    }

    /** For the audit log. */
    public Actor actor() {
        Caller caller = get();
        return new Actor(caller.tenant(), caller.kind(), caller.name(), caller.id(), origin());
    }

    /** Also where no rule asks who calls. */
    public Origin origin() {
        return Origin.of(request.getCurrent().request());
    }
}
