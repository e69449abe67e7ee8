package io.millrace.component;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import io.millrace.support.Api;
import io.millrace.support.RawConnection;
import io.quarkus.test.junit.QuarkusTest;

/** The short way and the method of the resource answer the same request alike, and only what is usual goes the short way. */
@QuarkusTest
class EnqueueRouteTest extends RunningApp {

    private static final String USUAL = "Accept: */*";
    /** Says the same, in a way that nobody but the framework understands. */
    private static final String UNUSUAL = "Accept: application/json;q=0.9, */*;q=0.1";
    private static final String ID = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}";
    private static final String TIME = "\\d{4}-\\d\\d-\\d\\dT[0-9:.]+Z";
    private static final int LARGEST = 262_144;

    private static long takenCount() {
        Api management = new Api("http://localhost:" + setting("quarkus.management.test-port"));
        return management.get("/q/metrics").body().lines().filter(line -> line.startsWith("millrace_requests_short_way_total"))
                .mapToLong(line -> (long) Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1))).findFirst()
                .orElseThrow();
    }

    /** An answer as it was sent, without what no two have in common. Names of headers count with their capitals. */
    private record Seen(String status, Map<String, String> headers, String body) {
        static Seen of(String answer) {
            String[] parts = answer.split("\r\n\r\n", 2);
            String[] head = parts[0].split("\r\n");
            Map<String, String> headers = new TreeMap<>();
            for (int i = 1; i < head.length; i++) {
                String[] header = head[i].split(": ", 2);
                headers.merge(header[0], comparable(header[1]), (one, other) -> one + " and " + other);
            }
            headers.remove("content-length"); // of times without trailing zeros
            return new Seen(head[0], headers, comparable(parts[1]));
        }

        private static String comparable(String text) {
            return text.replaceAll(ID, "ID").replaceAll(TIME, "TIME");
        }
    }

    private Seen send(String body, String... headers) {
        return Seen.of(exchange("POST", "/v1/jobs", body, headers));
    }

    private String exchange(String method, String target, String body, String... headers) {
        List<String> lines = new ArrayList<>(
                List.of(method + " " + target + " HTTP/1.1", "Host: localhost", "Connection: close",
                        "Content-Length: " + body.getBytes(UTF_8).length));
        lines.addAll(List.of(headers));
        try (RawConnection http = new RawConnection(api.base())) {
            http.send(String.join("\r\n", lines) + "\r\n\r\n" + new String(body.getBytes(UTF_8), ISO_8859_1));
            return http.read(PATIENCE);
        }
    }

    static Stream<String> bodies() {
        String many = "\"a\",".repeat(25);
        return Stream.of(
                "{\"type\":\"echo\"}", " {\"type\" : \"echo\" } ", "{\"type\":\"echo\",\"queue\":\"nobody-reads-this\"}",
                "{\"type\":\"echo\",\"payload\":{\"a\":[1,2.50,null,true,\"\\u00e9\\ud83d\\ude00 é😀\"]}}",
                "{\"type\":\"echo\",\"delay\":\"PT1H\",\"priority\":\"low\",\"timeout\":\"PT5S\",\"tags\":[\"a\",\"b\"]}",
                "{\"type\":\"echo\",\"runAt\":\"2001-01-31T08:00:00Z\"}", "{\"type\":\"echo\",\"runAt\":\"2001-01-31\"}",
                "{\"type\":\"echo\",\"retry\":{\"maxAttempts\":3,\"backoff\":\"fixed\",\"base\":\"PT1S\"}}",
                "{\"type\":\"echo\",\"retry\":7}", "{\"type\":\"nobody-knows\"}", "{\"typ\":\"echo\"}", "{}", "[]", "17", "",
                "{", "{\"type\":\"echo\"}}", "{\"type\":\"echo\",\"type\":\"echo\"}",
                "{\"type\":\"echo\",\"tenant\":\"other\"}",
                "{\"type\":\"echo\",\"payload\":\"\\u0000\"}", "{\"type\":\"echo\",\"payload\":\"\\ud800\"}",
                "{\"type\":\"echo\",\"payload\":" + "[".repeat(65) + "]".repeat(65) + "}",
                "{\"type\":\"echo\",\"payload\":" + "[".repeat(2_000) + "]".repeat(2_000) + "}",
                "{\"type\":\"echo\",\"tags\":[" + many + "\"a\"]}", "{\"type\":\"email\",\"payload\":{\"to\":\"nobody\"}}",
                "{\"type\":\"echo\",\"payload\":\"" + "x".repeat(LARGEST - 28) + "\"}",
                "{\"type\":\"echo\",\"idempotencyKey\":\"with a blank\"}", "{\"type\":\"echo\",\"onConflict\":\"return\"}",
                "{\"type\":\"echo\",\"uniqueKey\":\"k\",\"onConflict\":\"whatever\"}");
    }

    @ParameterizedTest
    @MethodSource("bodies")
    void a_request_is_answered_alike_on_both_ways(String body) {
        long before = takenCount();
        Seen slow = send(body, "Content-Type: application/json", UNUSUAL);
        assertThat(takenCount()).isEqualTo(before);
        Seen fast = send(body, "Content-Type: application/json", USUAL);
        assertThat(takenCount()).isEqualTo(before + 1);
        assertThat(fast).isEqualTo(slow);
        assertThat(fast.status()).matches("HTTP/1.1 (201 Created|400 Bad Request|422 Unprocessable .*)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"Idempotency-Key: a b", "Idempotency-Key: a,b", "Idempotency-Key: \"q\"", "Idempotency-Key: \"",
            "Idempotency-Key: ", "Idempotency-Key: a\r\nIdempotency-Key: b",
            "Origin: https://evil.example", "Prefer: wait=1", "Cookie: a=b", "Content-Encoding: gzip", "X-Request-Id: a"})
    void so_is_one_with_another_header(String header) {
        String job = "{\"type\":\"echo\"}";
        send(job, "Content-Type: application/json", USUAL, header); // so that those with a key that works are repeats, both
        assertThat(send(job, "Content-Type: application/json", USUAL, header))
                .isEqualTo(send(job, "Content-Type: application/json", UNUSUAL, header));
    }

    @Test
    void keys_are_the_same_on_both_ways() {
        String key = "Idempotency-Key: " + tag();
        String unique = tag();
        String json = "Content-Type: application/json";
        String job = "{\"type\":\"echo\",\"delay\":\"PT1H\",\"uniqueKey\":\"" + unique + "\"%s}";
        String first = exchange("POST", "/v1/jobs", job.formatted(""), json, USUAL, key);
        assertThat(first).startsWith("HTTP/1.1 201");

        Seen fast = send(job.formatted(""), json, USUAL, key);
        assertThat(fast.headers()).containsEntry("Idempotency-Replayed", "true");
        assertThat(fast).isEqualTo(send(job.formatted(""), json, UNUSUAL, key));
        for (String onConflict : List.of("return", "reject", "replace")) {
            String other = job.formatted(",\"onConflict\":\"" + onConflict + "\"");
            Seen briefly = send(other, json, USUAL);
            assertThat(briefly).as(onConflict).isEqualTo(send(other, json, UNUSUAL));
            assertThat(briefly.status()).contains(onConflict.equals("reject") ? "409" : "200");
        }
        Seen reused = send(job.formatted(",\"priority\":\"low\""), json, USUAL, key);
        assertThat(reused.status()).contains("422");
        assertThat(reused).isEqualTo(send(job.formatted(",\"priority\":\"low\""), json, UNUSUAL, key));
    }

    static Stream<List<String>> unusual() {
        String job = "{\"type\":\"echo\"}";
        String json = "Content-Type: application/json";
        return Stream.of(
                List.of("POST", "/v1/jobs/", job, json), List.of("POST", "//v1/jobs", job, json),
                List.of("POST", "/v1/jobs?a=b", job, json), List.of("POST", "/v1/%6aobs", job, json),
                List.of("POST", "/v1/jobs;a=b", job, json), List.of("POST", "http://localhost/v1/jobs", job, json),
                List.of("PUT", "/v1/jobs", job, json), List.of("HEAD", "/v1/jobs", "", json),
                List.of("OPTIONS", "/v1/jobs", "", json), List.of("GET", "/v1/jobs", "", json),
                List.of("POST", "/v1/jobs", job, "Content-Type: text/plain"), List.of("POST", "/v1/jobs", job, "X-A: b"),
                List.of("POST", "/v1/jobs", job, json, "Accept: image/png"),
                List.of("POST", "/v1/jobs", "x".repeat(LARGEST + 1), json));
    }

    @ParameterizedTest
    @MethodSource("unusual")
    void whatever_is_unusual_is_left_to_the_framework(List<String> request) {
        long before = takenCount();
        String answer = exchange(request.get(0), request.get(1), request.get(2),
                request.subList(3, request.size()).toArray(String[]::new));
        assertThat(answer).matches("(?s)HTTP/1.1 [2-4].*");
        assertThat(takenCount()).isEqualTo(before);
    }

    @Test
    void metrics_name_the_route_as_they_do_for_all_others() {
        send("{\"type\":\"echo\"}", "Content-Type: application/json", USUAL);
        Api management = new Api("http://localhost:" + setting("quarkus.management.test-port"));
        assertThat(management.get("/q/metrics").body().lines()
                .filter(line -> line.startsWith("http_server_requests_seconds_count"))
                .filter(line -> line.contains("method=\"POST\"") && line.contains("status=\"201\"")))
                .anyMatch(line -> line.contains("uri=\"/v1/jobs\""))
                .noneMatch(line -> line.contains("uri=\"root\"") || line.contains("uri=\"UNKNOWN\""));
    }
}
