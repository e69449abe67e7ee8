package io.millrace.account;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;

import org.jboss.logging.Logger;
import org.jose4j.jwt.MalformedClaimException;

import io.smallrye.jwt.algorithm.SignatureAlgorithm;
import io.smallrye.jwt.auth.principal.DefaultJWTTokenParser;
import io.smallrye.jwt.auth.principal.JWTAuthContextInfo;
import io.smallrye.jwt.auth.principal.ParseException;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;

/**
 * Checks the tokens of an identity provider with the keys that it publishes. They are fetched again every 5 min, and once a minute
 * at most when a token names one that is not known yet, so that a rotation is noticed and a flood of made-up names is not passed on.
 * While the provider does not answer, the keys it had are good for an hour more.
 */
final class OtherIssuer {
    private static final Logger LOG = Logger.getLogger(OtherIssuer.class);
    private static final int REFRESH_MINUTES = 5;
    private static final int FORCED_REFRESH_MINUTES = 1;
    private static final int RETAIN_MINUTES = 60;
    private static final long MOST_LIFETIME_SECONDS = Duration.ofDays(1).toSeconds();
    /** Before the keys were ever read, how long to wait before the next try. */
    private static final long PAUSE_NANOS = Duration.ofSeconds(10).toNanos();
    private static final int THREADS = 2;
    private static final int MOST_WAITING = 200;

    private final AuthConfig.Issuer issuer;
    private final JWTAuthContextInfo rules;
    private final DefaultJWTTokenParser parser = new DefaultJWTTokenParser();
    private final BoundedThreads threads;
    private final AtomicLong failedAt = new AtomicLong(System.nanoTime() - PAUSE_NANOS);

    OtherIssuer(AuthConfig.Issuer issuer, AuthConfig config, Vertx vertx) {
        this.issuer = issuer;
        rules = Tokens.rules(config, issuer.issuer(), issuer.audience(),
                issuer.algorithms().stream().map(SignatureAlgorithm::fromAlgorithm).collect(Collectors.toSet()));
        rules.setPublicKeyLocation(issuer.jwksUrl());
        rules.setJwksRefreshInterval(REFRESH_MINUTES);
        rules.setForcedJwksRefreshInterval(FORCED_REFRESH_MINUTES);
        rules.setJwksRetainCacheOnErrorDuration(RETAIN_MINUTES);
        rules.setMaxTimeToLiveSecs(MOST_LIFETIME_SECONDS);
        threads = new BoundedThreads(vertx, "issuer-" + issuer.issuer(), THREADS, MOST_WAITING);
    }

    /** @return null if the token is not valid */
    Uni<Caller> check(String token) {
        // On a thread: the keys are fetched with a blocking call.
        return threads.run(() -> checkNow(token));
    }

    private Caller checkNow(String token) throws MalformedClaimException {
        if (System.nanoTime() - failedAt.get() < PAUSE_NANOS) {
            throw RefusedException.busy();
        }
        try {
            return Tokens.caller(parser.parse(token, rules).getJwtClaims(), issuer.tenant(), issuer.groupsClaim());
        } catch (ParseException e) {
            if (isUnreachable(e)) {
                failedAt.set(System.nanoTime());
                LOG.warnf("the keys of %s cannot be fetched from %s", issuer.issuer(), issuer.jwksUrl());
                throw RefusedException.busy();
            }
            LOG.debugf("a token of %s was refused: %s", issuer.issuer(), Tokens.reason(e));
            return null;
        }
    }

    /** Only before the keys were ever fetched: later, those that are known go on to be used. */
    private static boolean isUnreachable(Throwable failure) {
        return failure != null && (failure instanceof IOException || isUnreachable(failure.getCause()));
    }
}
