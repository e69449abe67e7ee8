package io.millrace.account;

import java.nio.charset.StandardCharsets;
import java.security.PublicKey;
import java.security.interfaces.RSAPublicKey;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

import org.jboss.logging.Logger;
import org.jose4j.jwk.EllipticCurveJsonWebKey;
import org.jose4j.jwk.JsonWebKey;
import org.jose4j.jwk.JsonWebKeySet;
import org.jose4j.jwk.RsaJsonWebKey;
import org.jose4j.jwk.Use;
import org.jose4j.lang.JoseException;

import io.smallrye.jwt.algorithm.SignatureAlgorithm;
import io.smallrye.mutiny.Uni;

/**
 * The keys that an identity provider publishes as a JWK Set. They are fetched at the first question, then whenever {@link #refresh} is
 * called, and once a minute at most when a question names one that is not known, so that a rotation is noticed and a flood of made-up
 * names is not passed on. While the provider does not answer, the keys it had are good for an hour more.
 */
final class IssuerKeys {
    private static final Logger LOG = Logger.getLogger(IssuerKeys.class);

    static final Duration REFRESH = Duration.ofMinutes(5);
    static final Duration FORCED_REFRESH = Duration.ofMinutes(1);
    static final Duration RETAIN = REFRESH.plusHours(1);
    /** While there are no keys to fall back on, how long to wait after a fetch that failed. */
    static final Duration PAUSE = Duration.ofSeconds(10);
    /** Most questions that may wait for one fetch; one more is told to come again. */
    static final int MOST_WAITING = 200;

    private static final String P256 = "P-256";
    private static final int FEWEST_RSA_BITS = 2_048;
    /** A signature under a longer one is dear to check, for us. */
    private static final int MOST_RSA_BITS = 8_192;
    /** The name of a key that was published without one: found by a token without one. */
    private static final String UNNAMED = "";

    /** @param algorithm the only one that the key is used with */
    record Key(PublicKey key, SignatureAlgorithm algorithm) {}

    private record Known(Map<String, Key> keys, long fetchedNanos) {
        /** A token need not name the key if there is only one. */
        Key find(String keyId) {
            if (keyId == null) {
                return keys.size() == 1 ? keys.values().iterator().next() : null;
            }
            return keyId.equals(UNNAMED) ? null : keys.get(keyId);
        }
    }

    private final String issuer;
    private final Set<String> algorithms;
    private final Supplier<Uni<byte[]>> source;
    private final LongSupplier nanoTime;
    private final AtomicInteger waiting = new AtomicInteger();

    private volatile Known known;
    private Uni<Known> underWay;
    private Long failedNanos;
    private Long forcedNanos;

    /**
     * @param issuer for the log
     * @param algorithms {@code ES256}, {@code RS256} or both; keys for others are passed over
     * @param source reads the JWK Set; bounded in time and bytes
     */
    IssuerKeys(String issuer, Set<String> algorithms, Supplier<Uni<byte[]>> source, LongSupplier nanoTime) {
        this.issuer = issuer;
        this.algorithms = algorithms;
        this.source = source;
        this.nanoTime = nanoTime;
    }

    /**
     * @param keyId as the token has it; null if it names none
     * @return null if the provider has no such key; fails with {@link RefusedException} if its keys cannot be had
     */
    Uni<Key> find(String keyId) {
        Known now = known;
        if (now == null || isOlder(now.fetchedNanos(), RETAIN)) {
            return isPaused() ? Uni.createFrom().failure(RefusedException::issuerAway) : waitFor(keyId);
        }
        Key key = now.find(keyId);
        if (key != null || !mayForce()) {
            return Uni.createFrom().item(key);
        }
        return waitFor(keyId).onFailure().recoverWithNull();
    }

    /** One pass of the clockwork. Never fails: what goes wrong is logged, and tried again at the next one. */
    Uni<Void> refresh() {
        return fetch().onFailure().recoverWithNull().replaceWithVoid();
    }

    private Uni<Key> waitFor(String keyId) {
        return Uni.createFrom().deferred(() -> {
            if (waiting.incrementAndGet() > MOST_WAITING) {
                waiting.decrementAndGet();
                return Uni.createFrom().failure(RefusedException::issuerAway);
            }
            return fetch().map(fetched -> fetched.find(keyId)).onFailure().transform(failure -> RefusedException.issuerAway())
                    .onTermination().invoke(waiting::decrementAndGet);
        });
    }

    /** Who asks while a fetch is under way waits for that one. It goes on if all of them have left. */
    private Uni<Known> fetch() {
        return Uni.createFrom().deferred(this::start);
    }

    private synchronized Uni<Known> start() {
        if (underWay == null) {
            underWay = source.get().map(json -> new Known(parse(json), nanoTime.getAsLong())).invoke(this::keep)
                    .onFailure().invoke(this::miss).onTermination().invoke(this::end).memoize().indefinitely();
        }
        return underWay;
    }

    private void keep(Known fetched) {
        known = fetched;
    }

    private synchronized void miss(Throwable failure) {
        failedNanos = nanoTime.getAsLong();
        LOG.warnf("the keys of the issuer %s cannot be fetched: %s", issuer, failure.getMessage());
    }

    private synchronized void end() {
        underWay = null;
    }

    private synchronized boolean isPaused() {
        return failedNanos != null && !isOlder(failedNanos, PAUSE);
    }

    private synchronized boolean mayForce() {
        if (forcedNanos != null && !isOlder(forcedNanos, FORCED_REFRESH)) {
            return underWay != null; // the answer that is on its way may have it
        }
        forcedNanos = nanoTime.getAsLong();
        return true;
    }

    private boolean isOlder(long nanos, Duration age) {
        return nanoTime.getAsLong() - nanos >= age.toNanos();
    }

    /** @throws IllegalArgumentException if that is no JWK Set; keys in it that we cannot use are passed over */
    private Map<String, Key> parse(byte[] json) {
        Map<String, Key> keys = new HashMap<>();
        try {
            for (JsonWebKey jwk : new JsonWebKeySet(new String(json, StandardCharsets.UTF_8)).getJsonWebKeys()) {
                SignatureAlgorithm algorithm = algorithmOf(jwk);
                if (algorithm != null && algorithms.contains(algorithm.getAlgorithm())) {
                    keys.put(jwk.getKeyId() == null ? UNNAMED : jwk.getKeyId(),
                            new Key((PublicKey) jwk.getKey(), algorithm));
                }
            }
        } catch (JoseException | ClassCastException e) { // the latter if "keys" is no list
            throw new IllegalArgumentException("the answer is not a JWK Set", e);
        }
        return keys;
    }

    /** @return null for a key that is not for signatures, or not one that we check: P-256, or RSA of a sound length */
    private static SignatureAlgorithm algorithmOf(JsonWebKey jwk) {
        SignatureAlgorithm fits = null;
        if (jwk instanceof RsaJsonWebKey && jwk.getKey() instanceof RSAPublicKey rsa
                && rsa.getModulus().bitLength() >= FEWEST_RSA_BITS && rsa.getModulus().bitLength() <= MOST_RSA_BITS) {
            fits = SignatureAlgorithm.RS256;
        } else if (jwk instanceof EllipticCurveJsonWebKey ec && P256.equals(ec.getCurveName())) {
            fits = SignatureAlgorithm.ES256;
        }
        boolean isMeant = (jwk.getUse() == null || jwk.getUse().equals(Use.SIGNATURE))
                && (jwk.getAlgorithm() == null || fits != null && jwk.getAlgorithm().equals(fits.getAlgorithm()));
        return isMeant ? fits : null;
    }
}
