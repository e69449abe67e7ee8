package io.millrace.component;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.jose4j.jwk.JsonWebKey;
import org.jose4j.jwk.PublicJsonWebKey;
import org.jose4j.jwk.RsaJsonWebKey;
import org.jose4j.jwk.RsaJwkGenerator;
import org.jose4j.jws.JsonWebSignature;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.jwt.NumericDate;
import org.jose4j.keys.HmacKey;
import org.jose4j.lang.JoseException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import io.millrace.account.SigningKeys;
import io.millrace.support.AccountsOn;
import io.quarkus.test.junit.QuarkusTest;

/** Tokens that somebody made up, and what is made of them. */
@QuarkusTest
class TokenCorpusTest extends GuardedApp {

    private SigningKeys keys;

    @BeforeEach
    void readKeys() {
        keys = SigningKeys.read(Path.of(setting("millrace.auth.private-key")), List.of(publicKeyFile()));
    }

    private static Path publicKeyFile() {
        return Path.of(setting("millrace.auth.public-key"));
    }

    private static JwtClaims claims() {
        JwtClaims claims = new JwtClaims();
        claims.setIssuer("millrace");
        claims.setAudience("millrace");
        claims.setSubject("mallory");
        claims.setStringClaim("tenant", "default");
        claims.setStringListClaim("groups", List.of("admin"));
        claims.setIssuedAtToNow();
        claims.setExpirationTimeMinutesInTheFuture(10);
        return claims;
    }

    private static JsonWebSignature unsigned(JwtClaims claims, String algorithm, String keyId) {
        JsonWebSignature signature = new JsonWebSignature();
        signature.setPayload(claims.toJson());
        signature.setAlgorithmHeaderValue(algorithm);
        if (keyId != null) {
            signature.setKeyIdHeaderValue(keyId);
        }
        signature.setDoKeyValidation(false);
        return signature;
    }

    private static String signed(JsonWebSignature signature, java.security.Key key) throws JoseException {
        signature.setKey(key);
        return signature.getCompactSerialization();
    }

    private String signed(JwtClaims claims) throws JoseException {
        return signed(unsigned(claims, "ES256", keys.keyId()), keys.privateKey());
    }

    private int status(String token) {
        return api.get("/v1/api-keys", bearer(token)).status();
    }

    private static KeyPair otherPair(String curve) throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new java.security.spec.ECGenParameterSpec(curve));
        return generator.generateKeyPair();
    }

    private static String encoded(String json) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(json.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void the_token_that_the_others_differ_from_is_taken() throws Exception {
        assertThat(status(signed(claims()))).isEqualTo(200);
    }

    @Test
    void forged_tokens_are_refused() throws Exception {
        Map<String, String> corpus = new LinkedHashMap<>();
        KeyPair thief = otherPair("secp256r1");
        String payload = encoded(claims().toJson());
        String good = signed(claims());
        String[] parts = good.split("\\.");
        String pem = Files.readString(publicKeyFile());

        corpus.put("empty", "");
        corpus.put("no token", "x");
        corpus.put("two dots", "..");
        corpus.put("alg none", encoded("{\"alg\":\"none\"}") + "." + payload + ".");
        corpus.put("alg None", encoded("{\"alg\":\"None\",\"kid\":\"" + keys.keyId() + "\"}") + "." + payload + ".");
        corpus.put("alg none, with the signature", encoded("{\"alg\":\"none\"}") + "." + payload + "." + parts[2]);
        corpus.put("no alg", encoded("{\"kid\":\"" + keys.keyId() + "\"}") + "." + payload + "." + parts[2]);
        corpus.put("no signature", parts[0] + "." + parts[1] + ".");
        corpus.put("empty signature part", parts[0] + "." + parts[1]);
        corpus.put("zero signature", parts[0] + "." + parts[1] + "." + Base64.getUrlEncoder().withoutPadding()
                .encodeToString(new byte[64]));
        corpus.put("another payload", parts[0] + "." + encoded(claims().toJson().replace("mallory", "root")) + "." + parts[2]);
        corpus.put("another key", signed(unsigned(claims(), "ES256", keys.keyId()), thief.getPrivate()));
        corpus.put("another curve", signed(unsigned(claims(), "ES384", keys.keyId()), otherPair("secp384r1").getPrivate()));
        corpus.put("HS256 with the public key as PEM",
                signed(unsigned(claims(), "HS256", keys.keyId()), new HmacKey(pem.getBytes(StandardCharsets.UTF_8))));
        corpus.put("HS256 with the public key as DER", signed(unsigned(claims(), "HS256", keys.keyId()),
                new HmacKey(keys.publicKeys().get(keys.keyId()).getEncoded())));
        corpus.put("HS256 with nothing", signed(unsigned(claims(), "HS256", "../../dev/null"), new HmacKey(new byte[32])));
        for (String kid : List.of("../../dev/null", "' OR 1=1 --", "file:///dev/null", "http://127.0.0.1/k", "", "null",
                "x\\u0000")) {
            corpus.put("kid " + kid, signed(unsigned(claims(), "ES256", kid), thief.getPrivate()));
            corpus.put("kid " + kid + ", our key", signed(unsigned(claims(), "ES256", kid), keys.privateKey()));
        }
        corpus.put("no kid", signed(unsigned(claims(), "ES256", null), keys.privateKey()));
        PublicJsonWebKey jwk = PublicJsonWebKey.Factory.newPublicJwk(thief.getPublic());
        for (String kid : List.of(keys.keyId(), "mine")) {
            JsonWebSignature withKey = unsigned(claims(), "ES256", kid);
            withKey.setJwkHeader(jwk);
            corpus.put("jwk, kid " + kid, signed(withKey, thief.getPrivate()));
            for (String header : List.of("jku", "x5u")) {
                JsonWebSignature withUrl = unsigned(claims(), "ES256", kid);
                withUrl.setHeader(header, "http://127.0.0.1:" + api.base().getPort() + "/q/openapi");
                corpus.put(header + ", kid " + kid, signed(withUrl, thief.getPrivate()));
            }
        }
        JsonWebSignature critical = unsigned(claims(), "ES256", keys.keyId());
        critical.setHeader("crit", List.of("unheard-of"));
        critical.setHeader("unheard-of", true);
        corpus.put("crit",
                encoded("{\"alg\":\"ES256\",\"kid\":\"" + keys.keyId() + "\",\"crit\":[\"x\"],\"x\":1}") + "." + parts[1]
                        + "." + parts[2]);
        corpus.put("wrong issuer", signed(with("iss", "https://evil.example")));
        corpus.put("no issuer", signed(with("iss", null)));
        corpus.put("wrong audience", signed(with("aud", "another")));
        corpus.put("no audience", signed(with("aud", null)));
        corpus.put("expired", signed(expiredSince(120)));
        corpus.put("expired before it was made", signed(with("exp", NumericDate.now().getValue() - 1)));
        corpus.put("no exp", signed(with("exp", null)));
        corpus.put("exp in 30 years", signed(with("exp", NumericDate.now().getValue() + 30L * 365 * 86_400)));
        corpus.put("exp as text", signed(with("exp", "never")));
        corpus.put("exp 1e400", encoded(new String(Base64.getUrlDecoder().decode(parts[0]), StandardCharsets.UTF_8)) + "."
                + encoded("{\"iss\":\"millrace\",\"exp\":1e400}") + "." + parts[2]);
        corpus.put("no iat", signed(with("iat", null)));
        corpus.put("nbf in an hour", signed(with("nbf", NumericDate.now().getValue() + 3_600)));
        corpus.put("no subject", signed(with("sub", null)));
        corpus.put("no tenant", signed(with("tenant", null)));
        corpus.put("a tenant that breaks out", signed(with("tenant", "a} b:{c")));
        corpus.put("a tenant that is none", signed(with("tenant", "")));
        corpus.put("8 kB", signed(with("pad", "x".repeat(8_192))));

        Map<String, Integer> taken = new LinkedHashMap<>();
        corpus.forEach((title, token) -> {
            int status = status(token);
            if (status != 401) {
                taken.put(title, status);
            }
        });
        assertThat(taken).isEmpty();
        assertThat(corpus).hasSizeGreaterThanOrEqualTo(50);
        assertThat(api.get("/v1/api-keys", bearer(signed(claims()) + "x".repeat(100_000))).status()).as("100 kB")
                .isIn(401, 431);
        assertThat(api.get("/v1/api-keys", "Authorization", "Basic " + encoded("root:" + AccountsOn.ADMIN_PASSWORD)).status())
                .isEqualTo(401);
        assertThat(api.get("/v1/api-keys?access_token=" + good).status()).as("in the URL").isEqualTo(401);
        assertThat(api.get("/v1/api-keys", "Cookie", "Bearer=" + good).status()).isEqualTo(401);
    }

    private static JwtClaims with(String name, Object value) {
        JwtClaims claims = claims();
        if (value == null) {
            claims.unsetClaim(name);
        } else {
            claims.setClaim(name, value);
        }
        return claims;
    }

    @Test
    void groups_that_do_not_exist_give_nothing() throws Exception {
        JwtClaims claims = claims();
        claims.setStringListClaim("groups", List.of("root", "ADMIN", "**"));
        assertThat(status(signed(claims))).isEqualTo(403);
        claims.unsetClaim("groups");
        assertThat(status(signed(claims))).isEqualTo(403);
    }

    @Test
    void clocks_may_differ_by_half_a_minute() throws Exception {
        assertThat(status(signed(expiredSince(15)))).isEqualTo(200);
        assertThat(status(signed(expiredSince(45)))).isEqualTo(401);
    }

    private static JwtClaims expiredSince(long seconds) {
        JwtClaims claims = with("exp", NumericDate.now().getValue() - seconds);
        claims.setIssuedAt(NumericDate.fromSeconds(NumericDate.now().getValue() - 300));
        return claims;
    }

    /** Every step is a part of one story: what the provider was asked counts over the life of the application. */
    @Test
    void keys_of_an_identity_provider_rotate_without_an_outage_and_a_flood_of_made_up_ids_is_not_passed_on() throws Exception {
        RsaJsonWebKey old = key("old");
        RsaJsonWebKey next = key("next");
        publish(old);
        assertThat(status(fromProvider(old, "millrace-test"))).isEqualTo(200);
        assertThat(status(fromProvider(old, "another"))).as("another audience").isEqualTo(401);
        assertThat(status(fromProvider(old, "millrace-test").replaceFirst("[^.]{20}$", "AAAAAAAAAAAAAAAAAAAA"))).isEqualTo(401);

        publish(old, next);
        assertThat(status(fromProvider(next, "millrace-test"))).as("a key that is new").isEqualTo(200);
        assertThat(status(fromProvider(old, "millrace-test"))).as("the old one, which is still published").isEqualTo(200);

        int fetches = AccountsOn.fetches();
        assertThat(status(signed(with("iss", AccountsOn.OTHER_ISSUER)))).as("its name, our key").isEqualTo(401);
        for (int i = 0; i < 50; i++) {
            RsaJsonWebKey unknown = old;
            assertThat(status(signed(provided("millrace-test", "made-up-" + i), unknown.getPrivateKey()))).isEqualTo(401);
        }
        assertThat(AccountsOn.fetches() - fetches).isLessThanOrEqualTo(1);

        Files.writeString(AccountsOn.JWKS, "the provider is broken");
        assertThat(status(fromProvider(next, "millrace-test"))).isEqualTo(200);
    }

    private static RsaJsonWebKey key(String id) throws JoseException {
        RsaJsonWebKey key = RsaJwkGenerator.generateJwk(2048);
        key.setKeyId(id);
        key.setAlgorithm("RS256");
        key.setUse("sig");
        return key;
    }

    private static void publish(JsonWebKey... keys) throws IOException {
        Files.writeString(AccountsOn.JWKS, new org.jose4j.jwk.JsonWebKeySet(keys)
                .toJson(JsonWebKey.OutputControlLevel.PUBLIC_ONLY));
    }

    private static JsonWebSignature provided(String audience, String keyId) {
        JwtClaims claims = claims();
        claims.setIssuer(AccountsOn.OTHER_ISSUER);
        claims.setAudience(audience);
        claims.setGeneratedJwtId();
        return unsigned(claims, "RS256", keyId);
    }

    private static String fromProvider(RsaJsonWebKey key, String audience) throws JoseException {
        PrivateKey signing = key.getPrivateKey();
        return signed(provided(audience, key.getKeyId()), signing);
    }
}
