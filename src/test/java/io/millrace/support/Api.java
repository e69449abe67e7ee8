package io.millrace.support;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

/** A client of the HTTP API that keeps what it is sent as it is. */
public final class Api {

    /** Far more than any answer takes that does not wait for a job. */
    private static final Duration ANSWER_LIMIT = Duration.ofSeconds(70);
    /** How long to wait for the end of a job; a busy machine takes a while. */
    private static final int JOB_SECONDS = 30;
    private static final String JSON = "application/json";

    private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final String base;

    /** @param base {@code http://host:port} */
    public Api(String base) {
        this.base = base.endsWith("/") ? base.substring(0, base.length() - 1) : base;
    }

    public URI base() {
        return URI.create(base);
    }

    /** An answer, with its body as it came. */
    public record Answer(int status, HttpResponse<byte[]> response) {

        public byte[] bytes() {
            return response.body();
        }

        public String body() {
            return new String(response.body(), StandardCharsets.UTF_8);
        }

        public JsonNode json() {
            try {
                return new ObjectMapper().readTree(response.body());
            } catch (IOException e) {
                throw new UncheckedIOException(body(), e);
            }
        }

        public String mediaType() {
            return header("Content-Type").map(type -> type.split(";")[0]).orElse("");
        }

        public Optional<String> header(String name) {
            return response.headers().firstValue(name);
        }

        @Override
        public String toString() {
            return status + " " + body();
        }
    }

    public Answer get(String path, String... headers) {
        return send(request(path, headers).GET().build());
    }

    /** @param headers names and values in turn; a {@code Content-Type} other than JSON, or none if it is empty */
    public Answer post(String path, String body, String... headers) {
        return post(path, body.getBytes(StandardCharsets.UTF_8), headers);
    }

    public Answer post(String path, byte[] body, String... headers) {
        Map<String, String> all = new TreeMap<>(Map.of("Content-Type", JSON));
        for (int i = 0; i < headers.length; i += 2) {
            all.put(headers[i], headers[i + 1]);
        }
        HttpRequest.Builder request = request(path);
        all.forEach((name, value) -> {
            if (!value.isEmpty()) {
                request.setHeader(name, value);
            }
        });
        return send(request.POST(BodyPublishers.ofByteArray(body)).build());
    }

    /** Does not wait for the answer. */
    public CompletableFuture<Answer> postAsync(String path, String body) {
        return sendAsync(request(path, "Content-Type", JSON).POST(BodyPublishers.ofString(body)).build());
    }

    /** Does not wait for the answer. */
    public CompletableFuture<Answer> getAsync(String path) {
        return sendAsync(request(path).GET().build());
    }

    /** The body comes in chunks, and nobody is told how long it is. */
    public Answer postChunked(String path, String body) {
        InputStream stream = new ByteArrayInputStream(body.getBytes(StandardCharsets.UTF_8));
        return send(request(path, "Content-Type", JSON).POST(BodyPublishers.ofInputStream(() -> stream)).build());
    }

    public Answer send(String method, String path, String... headers) {
        return send(request(path, headers).method(method, BodyPublishers.noBody()).build());
    }

    /**
     * Hands a job in.
     *
     * @return its id
     */
    public String enqueue(String job) {
        Answer answer = post("/v1/jobs", job);
        if (answer.status() != 201) {
            throw new IllegalStateException(job + " was answered " + answer);
        }
        return answer.json().path("id").asText();
    }

    public JsonNode job(String id) {
        return get("/v1/jobs/" + id).json();
    }

    /** @return the job once it has ended, with its failed attempts, or as it is when time is up */
    public JsonNode ended(String id) {
        return get("/v1/jobs/" + id + "?expand=attempts&wait=" + JOB_SECONDS + "s").json();
    }

    /** Hands a job in and waits for its end. */
    public JsonNode run(String job) {
        return ended(enqueue(job));
    }

    public static Instant time(JsonNode job, String field) {
        return Instant.parse(job.path(field).asText());
    }

    private HttpRequest.Builder request(String path, String... headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(base + path)).timeout(ANSWER_LIMIT);
        return headers.length == 0 ? request : request.headers(headers);
    }

    private CompletableFuture<Answer> sendAsync(HttpRequest request) {
        return http.sendAsync(request, BodyHandlers.ofByteArray())
                .thenApply(response -> new Answer(response.statusCode(), response));
    }

    private Answer send(HttpRequest request) {
        try {
            HttpResponse<byte[]> response = http.send(request, BodyHandlers.ofByteArray());
            return new Answer(response.statusCode(), response);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UncheckedIOException(new InterruptedIOException());
        } catch (IOException e) {
            throw new UncheckedIOException(request.toString(), e);
        }
    }

    /** @return text as a JSON string, quotes included */
    public static String quoted(String text) {
        try {
            return new ObjectMapper().writeValueAsString(text);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }
}
