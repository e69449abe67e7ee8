package io.millrace.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import io.vertx.core.json.Json;
import io.vertx.core.json.JsonObject;

@DisplayNameGeneration(ReplaceUnderscores.class)
class RedactedTest {

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
            "cannot reach https://ann:s3cret@example.com/a?b=1 now|cannot reach https://***@example.com/a?b=1 now",
            "redis://:pa@ss@host:6379/0|redis://***@host:6379/0",
            "401: Authorization: Bearer abc.def-ghi was refused|401: Authorization: *** was refused",
            "sent authorization=abcdef|sent authorization=***",
            "with bearer abcdefgh12345678==|with bearer ***", "Basic YW5uOnMzY3JldA==|Basic ***",
            "the key mrk_Abc-123_xyz0 is unknown|the key mrk_*** is unknown",
            "token eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2ln is old|token *** is old",
            "GET https://a.example/x?X-Amz-Signature=abc&n=1&api_key=k#f|GET https://a.example/x?X-Amz-Signature=***&n=1&api_key=***#f"})
    void what_looks_like_a_secret_is_struck_out(String text, String redacted) {
        assertThat(Redacted.text(text)).isEqualTo(redacted);
        assertThat(Redacted.text(redacted)).isEqualTo(redacted);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "no luck", "ann@example.com has no mailbox", "https://example.com/a@b", "basic auth is off",
            "bearer of news", "the key is missing", "a = b", "eyJ is how JSON begins"})
    void what_does_not_stays(String text) {
        assertThat(Redacted.text(text)).isEqualTo(text);
    }

    @Test
    void JSON_stays_JSON() {
        String json = new JsonObject().put("authorization", 123).put("url", "https://u:p@h/?token=x\"y\\z")
                .put("header", "Authorization: Bearer abc\\\"def").put("key", "?key=\\u0041").encode();
        assertThat(Json.decodeValue(Redacted.text(json))).isInstanceOf(JsonObject.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"://", "?token=", "&a", "authorization", "authorization:", "bearer ", "basic a", "mrk_a",
            "eyJaaaaaaaa.",
            "://aaaaaaaaaaaaaaaa", "?------------------------------key"})
    void a_text_that_was_made_to_take_long_does_not(String piece) {
        String text = piece.repeat(500_000 / piece.length()) + "eyJ earer uthorization =";
        long start = System.nanoTime();
        Redacted.text(text);
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
    }
}
