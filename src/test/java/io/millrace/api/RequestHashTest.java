package io.millrace.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.millrace.handler.TestHandlers;
import io.millrace.support.TestConfig;

/** When two requests count as the same. */
@DisplayNameGeneration(ReplaceUnderscores.class)
class RequestHashTest {

    final JobReader reader = new JobReader(TestHandlers.trial(), TestConfig.of(ApiConfig.class, Map.of()));

    private String hashOf(String fields) {
        String body = "{\"type\": \"echo\"" + (fields.isEmpty() ? "" : ", ") + fields + "}";
        return reader.readJob(JobReaderTest.utf8(body), "tenant", "key").keys().bodyHash();
    }

    @Test
    void every_field_counts() {
        List<String> requests = List.of("", "\"payload\": 1", "\"payload\": \"1\"", "\"payload\": {\"a\": 1}",
                "\"payload\": {\"a\":1}", "\"queue\": \"q\"", "\"priority\": \"low\"", "\"runAt\": \"2020-01-01T00:00:00Z\"",
                "\"delay\": \"PT1S\"", "\"timeout\": \"PT1S\"", "\"retry\": {\"maxAttempts\": 2}",
                "\"retry\": {\"base\": \"PT1S\"}",
                "\"retry\": {\"cap\": \"PT30M\"}", "\"retry\": {\"jitter\": \"none\"}", "\"retry\": {\"backoff\": \"fixed\"}",
                "\"tags\": [\"a\"]", "\"tags\": [\"a\", \"b\"]", "\"tags\": [\"b\", \"a\"]", "\"uniqueKey\": \"a\"",
                "\"uniqueKey\": \"a\", \"onConflict\": \"reject\"");
        Set<String> hashes = new TreeSet<>();
        requests.forEach(request -> hashes.add(hashOf(request)));
        assertThat(hashes).hasSameSizeAs(requests);
    }

    @Test
    void a_value_cannot_pass_for_one_of_another_field() {
        assertThat(hashOf("\"delay\": \"PT1S\"")).isNotEqualTo(hashOf("\"timeout\": \"PT1S\""));
        assertThat(hashOf("\"tags\": [\"ab\", \"c\"]")).isNotEqualTo(hashOf("\"tags\": [\"a\", \"bc\"]"));
    }

    @Test
    void neither_order_nor_blanks_nor_another_way_to_write_a_time_counts() {
        assertThat(hashOf("\"payload\":1,\"queue\":\"q\"")).isEqualTo(hashOf("\"queue\" : \"q\",\n \"payload\" : 1"));
        assertThat(hashOf("\"delay\": \"PT60M\"")).isEqualTo(hashOf("\"delay\": \"PT1H\""));
        assertThat(hashOf("\"runAt\": \"2020-01-01T05:30:00+05:30\"")).isEqualTo(hashOf("\"runAt\": \"2020-01-01T00:00:00Z\""));
    }

    @Test
    void a_header_may_have_the_quotes_of_the_draft() {
        assertThat(IdempotencyHeader.read(List.of("\"8e03978e\""))).isEqualTo("8e03978e");
        assertThat(IdempotencyHeader.read(List.of(" 8e03978e "))).isEqualTo("8e03978e");
        assertThat(IdempotencyHeader.read(List.of())).isNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "\"\"", "a b", "caf\u00e9", "tab\tbed"})
    void a_header_that_is_no_key_is_refused(String value) {
        assertThatThrownBy(() -> IdempotencyHeader.read(List.of(value)))
                .isInstanceOf(ProblemException.class).hasMessageContaining("1 to 255 visible ASCII characters");
        assertThatThrownBy(() -> IdempotencyHeader.read(List.of("a", "a")))
                .isInstanceOf(ProblemException.class).hasMessageContaining("2 times");
    }
}
