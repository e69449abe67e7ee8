package io.millrace.account;

import java.net.URI;
import java.time.Duration;
import java.util.Set;

import org.jboss.logging.Logger;
import org.jose4j.jwt.MalformedClaimException;

import io.millrace.audit.Actor;
import io.millrace.egress.EgressClient;
import io.millrace.egress.EgressResponse;
import io.smallrye.jwt.algorithm.SignatureAlgorithm;
import io.smallrye.jwt.auth.principal.DefaultJWTTokenParser;
import io.smallrye.jwt.auth.principal.JWTAuthContextInfo;
import io.smallrye.jwt.auth.principal.ParseException;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Context;
import io.vertx.core.Vertx;

/** Checks the tokens of an identity provider with the {@link IssuerKeys} that it publishes. */
final class OtherIssuer implements AutoCloseable {
    private static final Logger LOG = Logger.getLogger(OtherIssuer.class);
    private static final long MOST_LIFETIME_SECONDS = Duration.ofDays(1).toSeconds();
    /** Providers publish about 2 kB. */
    private static final long MOST_JWKS_BYTES = 262_144;
    /** Requests wait for it. */
    private static final Duration FETCH_LIMIT = Duration.ofSeconds(10);
    private static final int THREADS = 2;
    private static final int MOST_WAITING = 200;

    private final AuthConfig.Issuer issuer;
    private final AuthConfig config;
    private final Vertx vertx;
    private final IssuerKeys keys;
    private final BoundedThreads threads;
    private final long timer;

    /** @param egress whatever a token says, only the address in the configuration is called, and a private one only if it is open */
    OtherIssuer(AuthConfig.Issuer issuer, AuthConfig config, Vertx vertx, EgressClient egress) {
        this.issuer = issuer;
        this.config = config;
        this.vertx = vertx;
        URI jwks = EgressClient.parse(issuer.jwksUrl());
        keys = new IssuerKeys(issuer.issuer(), Set.copyOf(issuer.algorithms()),
                () -> egress.get(jwks, MOST_JWKS_BYTES, FETCH_LIMIT).map(EgressResponse::body), System::nanoTime);
        threads = new BoundedThreads(vertx, "issuer-" + issuer.issuer(), THREADS, MOST_WAITING);
        timer = vertx.setPeriodic(IssuerKeys.REFRESH.toMillis(), tick -> keys.refresh().subscribe().with(done -> {}));
    }

    /**
     * @param keyId the key that the token names; null if it names none
     * @return null if the token is not valid
     */
    Uni<Caller> check(String token, String keyId) {
        Context caller = vertx.getOrCreateContext();
        return keys.find(keyId)
                // Who waited for a fetch that another request began goes on where it was.
                .emitOn(work -> caller.runOnContext(ignored -> work.run()))
                .onItem().ifNotNull().transformToUni(key -> threads.run(() -> checkNow(token, key)));
    }

    private Caller checkNow(String token, IssuerKeys.Key key) throws MalformedClaimException {
        JWTAuthContextInfo rules = Tokens.rules(config, issuer.issuer(), issuer.audience(), Set.of(key.algorithm()));
        rules.setPublicVerificationKey(key.key());
        rules.setMaxTimeToLiveSecs(MOST_LIFETIME_SECONDS);
        try {
            return Tokens.caller(Actor.Kind.FEDERATED, new DefaultJWTTokenParser().parse(token, rules).getJwtClaims(),
                    issuer.tenant(),
                    issuer.groupsClaim());
        } catch (ParseException e) {
            LOG.debugf("a token of %s was refused: %s", issuer.issuer(), Tokens.reason(e));
            return null;
        }
    }

    @Override
    public void close() {
        vertx.cancelTimer(timer);
        threads.close();
    }
}
