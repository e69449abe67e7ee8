package io.millrace.account;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import org.jose4j.jwk.EcJwkGenerator;
import org.jose4j.jwk.EllipticCurveJsonWebKey;
import org.jose4j.jwk.JsonWebKey;
import org.jose4j.jwk.JsonWebKeySet;
import org.jose4j.jws.JsonWebSignature;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.keys.EllipticCurves;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

import io.millrace.egress.EgressClient;
import io.millrace.egress.EgressConfig;
import io.millrace.support.TestConfig;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerRequest;

/** Where the keys of an identity provider may come from. */
@DisplayNameGeneration(ReplaceUnderscores.class)
class OtherIssuerTest {

    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final Vertx vertx = Vertx.vertx();
    private final AtomicInteger hits = new AtomicInteger();
    private EllipticCurveJsonWebKey key;
    private HttpServer provider;
    private Handler<HttpServerRequest> behaviour = request -> request.response()
            .end(new JsonWebKeySet(key).toJson(JsonWebKey.OutputControlLevel.PUBLIC_ONLY));

    @BeforeEach
    void start() throws Exception {
        key = EcJwkGenerator.generateJwk(EllipticCurves.P256);
        key.setKeyId("a");
        provider = vertx.createHttpServer().requestHandler(request -> {
            hits.incrementAndGet();
            behaviour.handle(request);
        }).listen(0, "127.0.0.1").toCompletionStage().toCompletableFuture().get(5, TimeUnit.SECONDS);
    }

    @AfterEach
    void stop() throws Exception {
        vertx.close().toCompletionStage().toCompletableFuture().get(5, TimeUnit.SECONDS);
    }

    @Test
    void an_issuer_inside_the_own_network_works_if_its_host_is_open() throws Exception {
        Caller caller = check(issuer(provider(), Map.of("open-hosts", provider())));

        assertThat(caller.name()).isEqualTo("ann");
        assertThat(caller.tenant()).isEqualTo("guests");
        assertThat(hits).hasValue(1);
    }

    @Test
    void one_that_is_not_open_is_not_called() {
        for (String host : new String[]{provider(), "localhost:" + provider.actualPort(), "169.254.169.254"}) {
            OtherIssuer issuer = issuer(host, Map.of("allowed-ports", "80,443," + provider.actualPort()));

            assertThatThrownBy(() -> check(issuer)).as(host).isInstanceOf(RefusedException.class)
                    .hasMessageContaining("cannot be fetched");
        }
        assertThat(hits).hasValue(0);
    }

    @Test
    void one_that_redirects_into_the_own_network_is_not_followed() {
        for (String target : new String[]{"http://localhost:" + provider.actualPort() + "/", "http://169.254.169.254/keys",
                "file:///etc/passwd"}) {
            hits.set(0);
            behaviour = request -> request.response().setStatusCode(302).putHeader("Location", target).end();
            OtherIssuer issuer = issuer(provider(), Map.of("open-hosts", provider()));

            assertThatThrownBy(() -> check(issuer)).as(target).isInstanceOf(RefusedException.class);
            assertThat(hits).hasValue(1);
        }
    }

    @Test
    void an_answer_without_end_is_cut_off() {
        behaviour = request -> {
            request.response().setChunked(true);
            long timer = vertx.setPeriodic(1, tick -> request.response().write("x".repeat(50_000)));
            request.connection().closeHandler(gone -> vertx.cancelTimer(timer));
        };
        OtherIssuer issuer = issuer(provider(), Map.of("open-hosts", provider()));

        assertThatThrownBy(() -> check(issuer)).isInstanceOf(RefusedException.class);
        assertThat(hits).hasValue(1);
    }

    @Test
    void a_URL_that_is_none_stops_the_start() {
        assertThat(TestConfig.faults(AuthConfig.class, settings("http://exa mple/"))).singleElement().asString()
                .contains("jwks-url");
        assertThat(TestConfig.faults(AuthConfig.class, settings("https://id.example/keys"))).isEmpty();
    }

    private String provider() {
        return "127.0.0.1:" + provider.actualPort();
    }

    private OtherIssuer issuer(String host, Map<String, String> egressSettings) {
        AuthConfig config = TestConfig.of(AuthConfig.class, settings("http://" + host + "/keys"));
        Map<String, String> egress = new HashMap<>();
        egressSettings.forEach((name, value) -> egress.put("millrace.egress." + name, value));
        return new OtherIssuer(config.issuers().get("x"), config, vertx,
                new EgressClient(vertx, TestConfig.of(EgressConfig.class, egress)));
    }

    private static Map<String, String> settings(String jwksUrl) {
        return Map.of("millrace.auth.issuers.x.issuer", "https://id.example", "millrace.auth.issuers.x.audience", "millrace",
                "millrace.auth.issuers.x.tenant", "guests", "millrace.auth.issuers.x.jwks-url", jwksUrl);
    }

    private Caller check(OtherIssuer issuer) throws Exception {
        JwtClaims claims = new JwtClaims();
        claims.setIssuer("https://id.example");
        claims.setAudience("millrace");
        claims.setSubject("ann");
        claims.setIssuedAtToNow();
        claims.setExpirationTimeMinutesInTheFuture(10);
        JsonWebSignature token = new JsonWebSignature();
        token.setPayload(claims.toJson());
        token.setAlgorithmHeaderValue("ES256");
        token.setKeyIdHeaderValue("a");
        token.setKey(key.getPrivateKey());
        return issuer.check(token.getCompactSerialization(), "a").await().atMost(PATIENCE);
    }
}
