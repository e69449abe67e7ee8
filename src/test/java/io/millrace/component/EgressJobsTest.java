package io.millrace.component;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

import io.millrace.egress.EgressClient;
import io.millrace.egress.EgressRefusedException;
import io.millrace.support.Api;
import io.millrace.support.EgressCorpus;
import io.quarkus.test.junit.QuarkusTest;
import io.vertx.core.Vertx;
import io.vertx.core.net.NetServer;

/** What {@link EgressCorpus} has, as image jobs: handed in over HTTP, run by a worker. */
@QuarkusTest
class EgressJobsTest extends RunningApp {

    /** The one host that the application under test may call. */
    private static final String OPEN = "127.0.0.1";

    private final AtomicInteger sinkHits = new AtomicInteger();
    private final Vertx vertx = Vertx.vertx();
    private List<String> redirects;
    private HttpServer open;
    private int port;

    @BeforeEach
    void start() throws Exception {
        NetServer sink = vertx.createNetServer().connectHandler(connection -> {
            sinkHits.incrementAndGet();
            connection.close();
        }).listen(0, "0.0.0.0").toCompletionStage().toCompletableFuture().get(5, TimeUnit.SECONDS);
        port = sink.actualPort();
        open = HttpServer.create(new InetSocketAddress(InetAddress.getByName(OPEN), 0), 0);
        open.createContext("/", this::answer);
        redirects = EgressCorpus.redirects(port, open.getAddress().getPort()).stream().filter(url -> !isOpen(url))
                .filter(url -> url.chars().allMatch(c -> c < 128)).toList(); // a header takes no others
        open.start();
    }

    @AfterEach
    void stop() throws Exception {
        open.stop(0);
        vertx.close().toCompletionStage().toCompletableFuture().get(5, TimeUnit.SECONDS);
    }

    @Test
    void no_URL_in_a_job_leads_to_the_sink() {
        List<String> urls = new ArrayList<>(EgressCorpus.urls(port));
        EgressCorpus.addresses().stream().map(address -> address.contains(":") ? "[" + address + "]" : address)
                .forEach(host -> urls.add("http://" + host + "/"));
        // A payload with NUL is refused at the door; names outside would ask a real DNS server.
        urls.removeIf(url -> url.contains("\u0000") || url.contains(".test") || isOpen(url));
        assertThat(urls).hasSizeGreaterThan(150);

        assertThat(codes(urls).keySet()).isEqualTo(Set.of("refused"));
        assertThat(sinkHits).hasValue(0);
    }

    @Test
    void no_redirect_in_a_job_leads_to_the_sink() {
        List<String> urls = IntStream.range(0, redirects.size()).filter(i -> !redirects.get(i).contains(".test")
                && !redirects.get(i).contains("metadata.google")).mapToObj(i -> url("/redirect/" + i)).toList();
        assertThat(urls).hasSizeGreaterThan(15);

        assertThat(codes(urls).keySet()).isEqualTo(Set.of("refused"));
        assertThat(sinkHits).hasValue(0);
    }

    @Test
    void hostile_answers_fail_the_job_with_a_reason() {
        Map<String, List<String>> codes = codes(List.of(url("/bomb"), url("/endless"), url("/loop")));

        assertThat(codes).containsEntry("not-an-image", List.of(url("/bomb")))
                .containsEntry("too-large", List.of(url("/endless")))
                .containsEntry("refused", List.of(url("/loop")));
    }

    /** @return what became of the URLs, by the codes of their errors */
    private Map<String, List<String>> codes(List<String> urls) {
        String list = urls.stream().map(Api::quoted).collect(Collectors.joining(","));
        JsonNode job = api
                .run("{\"type\": \"image\", \"retry\": {\"maxAttempts\": 1}, \"payload\": {\"visits\": [{\"storeId\": \"S1\","
                        + " \"imageUrls\": [" + list + "]}]}}");
        assertThat(job.path("state").asText()).as(job.toString()).isEqualTo("FAILED");
        Map<String, List<String>> codes = new TreeMap<>();
        job.at("/failure/detail/visits/0/images").forEach(image -> codes
                .computeIfAbsent(image.at("/error/code").asText(), code -> new ArrayList<>()).add(image.path("url").asText()));
        assertThat(codes.values().stream().mapToInt(List::size).sum()).as(job.toString()).isEqualTo(urls.size());
        return codes;
    }

    /** The sink has the same address as the open host, so what names just that is let through, and rightly. */
    private static boolean isOpen(String url) {
        try {
            URI parsed = EgressClient.parse(url);
            return OPEN.equals(parsed.getHost()) && parsed.getRawUserInfo() == null;
        } catch (EgressRefusedException notAUrl) {
            return false;
        }
    }

    private String url(String path) {
        return "http://" + OPEN + ":" + open.getAddress().getPort() + path;
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            String path = exchange.getRequestURI().getPath();
            if (path.startsWith("/redirect/")) {
                exchange.getResponseHeaders().set("Location", redirects.get(Integer.parseInt(path.substring(10))));
                exchange.sendResponseHeaders(307, -1);
            } else if (path.equals("/bomb")) {
                ByteArrayOutputStream bomb = new ByteArrayOutputStream();
                try (GZIPOutputStream gzip = new GZIPOutputStream(bomb)) {
                    gzip.write(new byte[100_000_000]);
                }
                exchange.getResponseHeaders().set("Content-Encoding", "gzip");
                exchange.sendResponseHeaders(200, bomb.size());
                bomb.writeTo(exchange.getResponseBody());
            } else if (path.equals("/endless")) {
                exchange.sendResponseHeaders(200, 0);
                byte[] some = new byte[1_000_000];
                while (true) { // until the client hangs up, which is an IOException here
                    exchange.getResponseBody().write(some);
                }
            } else {
                exchange.getResponseHeaders().set("Location", "/loop");
                exchange.sendResponseHeaders(302, -1);
            }
        }
    }
}
