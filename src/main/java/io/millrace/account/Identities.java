package io.millrace.account;

import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import jakarta.enterprise.context.ApplicationScoped;

import io.millrace.audit.Actor;
import io.quarkus.security.AuthenticationFailedException;
import io.quarkus.security.identity.IdentityProviderManager;
import io.quarkus.security.identity.SecurityIdentity;
import io.quarkus.security.runtime.QuarkusPrincipal;
import io.quarkus.security.runtime.QuarkusSecurityIdentity;
import io.quarkus.vertx.http.runtime.security.ChallengeData;
import io.quarkus.vertx.http.runtime.security.HttpAuthenticationMechanism;
import io.quarkus.vertx.http.runtime.security.HttpCredentialTransport;
import io.smallrye.mutiny.Uni;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;

/**
 * Says who sends a request, from its {@code Authorization: Bearer} header: an access token or an API key. What was found valid is
 * believed for a while, because checking a signature costs more than accepting a job.
 */
@ApplicationScoped
class Identities implements HttpAuthenticationMechanism {
    private static final String BEARER = "Bearer ";
    /** A token cannot be taken back, so this only bounds how long a public key that was taken away is believed. */
    private static final Duration BELIEVE_TOKEN = Duration.ofMinutes(1);
    /** How long a revoked key goes on to work in a process that has seen it. */
    private static final Duration BELIEVE_KEY = Duration.ofSeconds(10);
    private static final int MOST_BELIEVED = 10_000;

    private static final SecurityIdentity ANYBODY = identity(
            new Caller(Actor.Kind.ANYBODY, null, "anybody", Tenant.DEFAULT, Group.ALL, null));

    private final AuthMode mode;
    private final Tokens tokens;
    private final ApiKeys apiKeys;
    private final Map<Proof, Believed> believed = new ConcurrentHashMap<>();

    Identities(AuthConfig config, Tokens tokens, ApiKeys apiKeys) {
        this.mode = config.mode();
        this.tokens = tokens;
        this.apiKeys = apiKeys;
    }

    /** SHA-256 of a token or key: what is in memory for a minute should not open anything. */
    private record Proof(byte[] hash) {
        @Override
        public boolean equals(Object other) {
            return other instanceof Proof proof && Arrays.equals(hash, proof.hash);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(hash);
        }
    }

    private record Believed(SecurityIdentity identity, Instant until) {}

    @Override
    public Uni<SecurityIdentity> authenticate(RoutingContext request, IdentityProviderManager ignored) {
        if (mode == AuthMode.OPEN) {
            return Uni.createFrom().item(ANYBODY);
        }
        String credential = credential(request.request());
        return credential == null ? Uni.createFrom().nullItem() : identify(credential);
    }

    /** @return who sends it, if nothing has to be checked for that; else null */
    SecurityIdentity known(HttpServerRequest request) {
        if (mode == AuthMode.OPEN) {
            return ANYBODY;
        }
        String credential = credential(request);
        return credential == null ? null : known(new Proof(Secret.hash(credential)));
    }

    private SecurityIdentity known(Proof proof) {
        Believed known = believed.get(proof);
        return known != null && known.until().isAfter(Instant.now()) ? known.identity() : null;
    }

    /** @return null if there is none */
    private static String credential(HttpServerRequest request) {
        String header = request.getHeader(HttpHeaders.AUTHORIZATION);
        return header == null || !header.regionMatches(true, 0, BEARER, 0, BEARER.length())
                ? null
                : header.substring(BEARER.length()).strip();
    }

    private Uni<SecurityIdentity> identify(String credential) {
        Proof proof = new Proof(Secret.hash(credential));
        SecurityIdentity known = known(proof);
        if (known != null) {
            return Uni.createFrom().item(known);
        }
        boolean isKey = credential.startsWith(ApiKeys.PREFIX);
        return (isKey ? apiKeys.check(credential) : tokens.check(credential))
                .onItem().ifNull().failWith(() -> new AuthenticationFailedException("the token or key is not valid"))
                .map(caller -> believe(proof, caller, isKey ? BELIEVE_KEY : BELIEVE_TOKEN));
    }

    private SecurityIdentity believe(Proof proof, Caller caller, Duration most) {
        SecurityIdentity identity = identity(caller);
        Instant now = Instant.now();
        if (believed.size() >= MOST_BELIEVED) {
            believed.values().removeIf(old -> !old.until().isAfter(now));
            if (believed.size() >= MOST_BELIEVED) {
                believed.clear();
            }
        }
        Instant until = now.plus(most);
        believed.put(proof, new Believed(identity, caller.until() != null && caller.until().isBefore(until)
                ? caller.until()
                : until));
        return identity;
    }

    private static SecurityIdentity identity(Caller caller) {
        return QuarkusSecurityIdentity.builder().setPrincipal(new QuarkusPrincipal(caller.name())).addRoles(caller.groups())
                .addAttribute(Tenant.ATTRIBUTE, caller.tenant()).addAttribute(CurrentCaller.ATTRIBUTE, caller).build();
    }

    @Override
    public Uni<ChallengeData> getChallenge(RoutingContext request) {
        return Uni.createFrom().item(new ChallengeData(401, "WWW-Authenticate", BEARER.strip()));
    }

    @Override
    public Uni<HttpCredentialTransport> getCredentialTransport(RoutingContext request) {
        return Uni.createFrom()
                .item(new HttpCredentialTransport(HttpCredentialTransport.Type.AUTHORIZATION, BEARER.strip()));
    }
}
