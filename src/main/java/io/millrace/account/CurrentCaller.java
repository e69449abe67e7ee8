package io.millrace.account;

import jakarta.inject.Singleton;

import io.millrace.audit.Actor;
import io.millrace.audit.Origin;
import io.quarkus.security.identity.SecurityIdentity;
import io.quarkus.vertx.http.runtime.CurrentVertxRequest;
import io.vertx.core.http.HttpServerRequest;

/** Who sends a request. Like {@link Tenant}, only while the method of a resource is being called. */
@Singleton
public class CurrentCaller {
    static final String ATTRIBUTE = "caller";

    private final SecurityIdentity identity;
    private final CurrentVertxRequest request;
    private final Identities identities;

    CurrentCaller(SecurityIdentity identity, CurrentVertxRequest request, Identities identities) {
        this.identity = identity;
        this.request = request;
        this.identities = identities;
    }

    /**
     * Who sends a request, where no method of a resource is being called.
     *
     * @return null if that has to be checked first, as with a token that is new here, or if it is nobody
     */
    public Caller known(HttpServerRequest request) {
        SecurityIdentity known = identities.known(request);
        return known == null ? null : known.getAttribute(ATTRIBUTE);
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
