package io.millrace.account;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

import org.jose4j.jwk.EcJwkGenerator;
import org.jose4j.jwk.JsonWebKey;
import org.jose4j.jwk.JsonWebKeySet;
import org.jose4j.jwk.OctetSequenceJsonWebKey;
import org.jose4j.jwk.RsaJwkGenerator;
import org.jose4j.keys.EllipticCurves;
import org.jose4j.lang.JoseException;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

import io.smallrye.jwt.algorithm.SignatureAlgorithm;
import io.smallrye.mutiny.Uni;

@DisplayNameGeneration(ReplaceUnderscores.class)
class IssuerKeysTest {

    private final AtomicLong now = new AtomicLong();
    private final AtomicInteger fetches = new AtomicInteger();
    private String published = "";
    private boolean isAway;

    private final IssuerKeys keys = new IssuerKeys("test", Set.of("ES256", "RS256"), () -> {
        fetches.incrementAndGet();
        return isAway
                ? Uni.createFrom().failure(new IllegalStateException("away"))
                : Uni.createFrom().item(published.getBytes(StandardCharsets.UTF_8));
    }, now::get);

    @Test
    void keys_are_fetched_at_the_first_question_and_then_known() throws Exception {
        publish(ec("a"), ec("b"));

        assertThat(find("a").algorithm()).isEqualTo(SignatureAlgorithm.ES256);
        assertThat(find("b")).isNotEqualTo(find("a"));
        assertThat(find("b")).isNotNull();
        assertThat(fetches).hasValue(1);
    }

    @Test
    void a_new_key_is_found_at_once_and_made_up_ones_cost_one_fetch_a_minute() throws Exception {
        publish(ec("old"));
        find("old");
        publish(ec("old"), ec("new"));

        assertThat(find("new")).isNotNull();
        assertThat(fetches).hasValue(2);
        for (int i = 0; i < 50; i++) {
            assertThat(find("made up " + i)).isNull();
        }
        assertThat(fetches).as("within the minute").hasValue(2);
        pass(IssuerKeys.FORCED_REFRESH);
        for (int i = 0; i < 50; i++) {
            assertThat(find("made up " + i)).isNull();
        }
        assertThat(fetches).as("one more minute").hasValue(3);
        assertThat(find("old")).isNotNull();
    }

    @Test
    void a_key_that_is_not_published_any_more_is_gone_with_the_next_refresh() throws Exception {
        publish(ec("old"));
        find("old");
        publish(ec("new"));

        refresh();

        assertThat(find("new")).isNotNull();
        assertThat(find("old")).isNull();
    }

    @Test
    void while_the_issuer_is_away_its_keys_are_good_for_an_hour_more() throws Exception {
        publish(ec("a"));
        find("a");
        isAway = true;

        for (int i = 0; i < 12; i++) {
            pass(IssuerKeys.REFRESH);
            refresh();
            assertThat(find("a")).as("after %d refreshes that failed", i + 1).isNotNull();
            assertThat(find("b")).as("not known, and nobody to ask").isNull();
        }
        pass(IssuerKeys.REFRESH);
        assertAway("a");

        isAway = false;
        pass(IssuerKeys.PAUSE);
        assertThat(find("a")).isNotNull();
    }

    @Test
    void an_answer_that_makes_no_sense_takes_nothing_away() throws Exception {
        publish(ec("a"));
        find("a");

        for (String nonsense : List.of("", "the provider is broken", "[]", "{}", "{\"keys\":1}", "<html>", "null", "\u0000")) {
            published = nonsense;
            refresh();
            assertThat(find("a")).as(nonsense).isNotNull();
        }
        assertThat(fetches).hasValue(9);
    }

    @Test
    void after_a_first_fetch_that_failed_there_is_a_pause() throws Exception {
        isAway = true;
        for (int i = 0; i < 10; i++) {
            assertAway("a");
        }
        assertThat(fetches).hasValue(1);

        pass(IssuerKeys.PAUSE);
        assertAway("a");
        assertThat(fetches).hasValue(2);

        isAway = false;
        publish(ec("a"));
        pass(IssuerKeys.PAUSE);
        assertThat(find("a")).isNotNull();
    }

    @Test
    void who_asks_while_a_fetch_is_under_way_waits_for_that_one_and_the_queue_is_bounded() throws Exception {
        CompletableFuture<byte[]> answer = new CompletableFuture<>();
        IssuerKeys slow = new IssuerKeys("slow", Set.of("ES256"), () -> {
            fetches.incrementAndGet();
            return Uni.createFrom().completionStage(answer);
        }, now::get);
        List<CompletableFuture<IssuerKeys.Key>> waiting = new ArrayList<>();
        for (int i = 0; i < IssuerKeys.MOST_WAITING; i++) {
            waiting.add(slow.find("a").subscribeAsCompletionStage());
        }
        assertThatThrownBy(() -> slow.find("a").await().indefinitely()).isInstanceOf(RefusedException.class);
        waiting.get(0).cancel(true);
        publish(ec("a"));
        answer.complete(published.getBytes(StandardCharsets.UTF_8));

        assertThat(waiting.subList(1, waiting.size())).allSatisfy(each -> assertThat(each.join()).isNotNull());
        assertThat(fetches).hasValue(1);
        assertThat(slow.find("a").await().indefinitely()).as("the queue is empty again").isNotNull();
    }

    @Test
    void keys_that_are_not_for_our_signatures_are_passed_over() throws Exception {
        JsonWebKey encryption = ec("encryption");
        encryption.setUse("enc");
        JsonWebKey otherAlgorithm = rsa("pss", 2048);
        otherAlgorithm.setAlgorithm("PS256");
        publish(encryption, otherAlgorithm, rsa("short", 1024), ec("curve", EllipticCurves.P384),
                new OctetSequenceJsonWebKey(new org.jose4j.keys.HmacKey(new byte[32])), rsa("good", 2048));

        assertThat(find("good").algorithm()).isEqualTo(SignatureAlgorithm.RS256);
        assertThat(List.of("encryption", "pss", "short", "curve", "")).allSatisfy(id -> assertThat(find(id)).as(id).isNull());
        assertThat(find(null)).as("there is only one that can be meant").isEqualTo(find("good"));
        IssuerKeys ecOnly = new IssuerKeys("test", Set.of("ES256"),
                () -> Uni.createFrom().item(published.getBytes(StandardCharsets.UTF_8)), now::get);
        assertThat(ecOnly.find("good").await().indefinitely()).isNull();
    }

    @Test
    void a_token_that_names_no_key_has_one_only_if_there_is_no_other() throws Exception {
        JsonWebKey unnamed = ec(null);
        publish(unnamed);
        assertThat(find(null)).isNotNull();
        assertThat(find("")).isNull();

        publish(unnamed, ec("a"));
        refresh();
        assertThat(find(null)).isNull();
    }

    private IssuerKeys.Key find(String keyId) {
        return keys.find(keyId).await().atMost(Duration.ofSeconds(5));
    }

    private void assertAway(String keyId) {
        assertThatThrownBy(() -> find(keyId)).isInstanceOfSatisfying(RefusedException.class, refused -> {
            assertThat(refused.reason().status()).isEqualTo(503);
            assertThat(refused).hasMessageContaining("cannot be fetched");
        });
    }

    private void refresh() {
        keys.refresh().await().atMost(Duration.ofSeconds(5));
    }

    private void pass(Duration time) {
        now.addAndGet(time.toNanos());
    }

    private void publish(JsonWebKey... all) {
        published = new JsonWebKeySet(all).toJson(JsonWebKey.OutputControlLevel.INCLUDE_SYMMETRIC);
    }

    private static JsonWebKey ec(String id) throws JoseException {
        return ec(id, EllipticCurves.P256);
    }

    private static JsonWebKey ec(String id, java.security.spec.ECParameterSpec curve) throws JoseException {
        JsonWebKey key = EcJwkGenerator.generateJwk(curve);
        key.setKeyId(id);
        return key;
    }

    private static JsonWebKey rsa(String id, int bits) throws JoseException {
        JsonWebKey key = RsaJwkGenerator.generateJwk(bits);
        key.setKeyId(id);
        return key;
    }
}
