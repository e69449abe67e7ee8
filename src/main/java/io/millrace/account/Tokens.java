package io.millrace.account;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;

import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;

import org.jboss.logging.Logger;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.jwt.MalformedClaimException;
import org.jose4j.jwt.consumer.InvalidJwtException;
import org.jose4j.jwt.consumer.JwtConsumer;
import org.jose4j.jwt.consumer.JwtConsumerBuilder;
import org.jose4j.jwt.consumer.JwtContext;

import io.millrace.audit.Actor;
import io.millrace.egress.EgressClient;
import io.smallrye.jwt.algorithm.SignatureAlgorithm;
import io.smallrye.jwt.auth.principal.DefaultJWTTokenParser;
import io.smallrye.jwt.auth.principal.JWTAuthContextInfo;
import io.smallrye.jwt.auth.principal.ParseException;
import io.smallrye.jwt.build.Jwt;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;

/**
 * Signs and checks access tokens. What a token says of how it is to be checked is not believed: the algorithm is ours, and its
 * {@code kid} only picks one of the keys that we hold anyway.
 */
@ApplicationScoped
class Tokens {
    private static final Logger LOG = Logger.getLogger(Tokens.class);
    private static final int MOST_CHARACTERS = 8_192;
    private static final int THREADS = 2;
    private static final int MOST_WAITING = 500;
    private static final String TENANT = "tenant";
    private static final String GROUPS = "groups";

    private final AuthConfig config;
    private final SigningKeys keys;
    private final BoundedThreads threads;
    private final Map<String, OtherIssuer> others;
    private final JwtConsumer unchecked = new JwtConsumerBuilder().setSkipAllValidators().setDisableRequireSignature()
            .setSkipSignatureVerification().build();

    Tokens(AuthConfig config, Vertx vertx, EgressClient egress) {
        this.config = config;
        this.keys = keys(config);
        this.threads = new BoundedThreads(vertx, "tokens", THREADS, MOST_WAITING);
        this.others = config.issuers().values().stream()
                .collect(Collectors.toMap(AuthConfig.Issuer::issuer, issuer -> new OtherIssuer(issuer, config, vertx, egress)));
    }

    @PreDestroy
    void close() {
        others.values().forEach(OtherIssuer::close);
        threads.close();
    }

    private static SigningKeys keys(AuthConfig config) {
        if (config.privateKey().isPresent() && config.publicKey().isPresent()) {
            return SigningKeys.read(config.privateKey().get(), config.publicKey().get());
        }
        if (config.mode() == AuthMode.REQUIRED) {
            throw new IllegalStateException(
                    "millrace.auth is required, but there is no key to sign tokens with; make a pair with "
                            + SigningKeys.HOW_TO_MAKE);
        }
        LOG.info("no millrace.auth.private-key: tokens are signed with a key that only this process knows, until it ends");
        return SigningKeys.generate();
    }

    String sign(String name, String tenant, Set<String> groups) {
        Instant now = Instant.now();
        return Jwt.claims().issuer(config.issuer()).audience(config.audience()).subject(name).groups(groups)
                .claim(TENANT, tenant).claim("jti", UUID.randomUUID().toString())
                .issuedAt(now).expiresAt(now.plus(config.accessLifetime()))
                .jws().algorithm(SignatureAlgorithm.ES256).keyId(keys.keyId()).sign(keys.privateKey());
    }

    /** @return null if the token is not valid */
    Uni<Caller> check(String token) {
        if (token.length() > MOST_CHARACTERS) {
            return Uni.createFrom().nullItem();
        }
        try {
            JwtContext said = unchecked.process(token);
            String issuer = said.getJwtClaims().getIssuer();
            String keyId = said.getJoseObjects().get(0).getKeyIdHeaderValue();
            OtherIssuer other = others.get(issuer == null ? "" : issuer);
            if (other != null) {
                return other.check(token, keyId);
            }
            return keyId != null && keys.publicKeys().containsKey(keyId)
                    ? threads.run(() -> checkOwn(token, keyId))
                    : Uni.createFrom().nullItem();
        } catch (InvalidJwtException | MalformedClaimException e) {
            LOG.debugf("a token cannot be read: %s", reason(e));
            return Uni.createFrom().nullItem();
        }
    }

    /** About 1 ms for a signature: too long for an event loop, should somebody send many that are wrong. */
    private Caller checkOwn(String token, String keyId) throws MalformedClaimException {
        JWTAuthContextInfo rules = rules(config, config.issuer(), config.audience(), Set.of(SignatureAlgorithm.ES256));
        rules.setPublicVerificationKey(keys.publicKeys().get(keyId));
        rules.setMaxTimeToLiveSecs(config.accessLifetime().toSeconds());
        try {
            return caller(Actor.Kind.USER, new DefaultJWTTokenParser().parse(token, rules).getJwtClaims(), Optional.empty(),
                    GROUPS);
        } catch (ParseException e) {
            LOG.debugf("a token was refused: %s", reason(e));
            return null;
        }
    }

    /** @return the {@link org.jose4j.jwt.consumer.ErrorCodes}: the message would have the whole token */
    static String reason(Throwable failure) {
        if (failure instanceof InvalidJwtException invalid) {
            return "error codes " + invalid.getErrorDetails().stream().map(error -> error.getErrorCode()).toList();
        }
        return failure.getCause() == null ? failure.getClass().getSimpleName() : reason(failure.getCause());
    }

    static JWTAuthContextInfo rules(AuthConfig config, String issuer, String audience, Set<SignatureAlgorithm> algorithms) {
        JWTAuthContextInfo rules = new JWTAuthContextInfo();
        rules.setIssuedBy(issuer);
        rules.setExpectedAudience(Set.of(audience));
        rules.setSignatureAlgorithm(algorithms);
        rules.setClockSkew((int) config.leeway().toSeconds());
        return rules;
    }

    /** @return null if the token does not say whose it is, or for which tenant */
    static Caller caller(Actor.Kind kind, JwtClaims claims, Optional<String> tenant, String groupsClaim)
            throws MalformedClaimException {
        String name = claims.getSubject();
        String whose = tenant.isPresent() ? tenant.get() : claims.getStringClaimValue(TENANT);
        List<String> groups = claims.isClaimValueStringList(groupsClaim)
                ? claims.getStringListClaimValue(groupsClaim)
                : List.of();
        Set<String> known = groups.stream().filter(Group.ALL::contains).collect(Collectors.toSet());
        if (name == null || name.isBlank() || whose == null || !Names.isTenant(whose)) {
            return null;
        }
        return new Caller(kind, null, name, whose, known, Instant.ofEpochSecond(claims.getExpirationTime().getValue()));
    }
}
