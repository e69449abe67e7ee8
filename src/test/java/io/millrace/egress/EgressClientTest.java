package io.millrace.egress;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayOutputStream;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.GZIPOutputStream;

import org.assertj.core.api.InstanceOfAssertFactories;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.assertj.core.api.ThrowableAssertAlternative;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.millrace.egress.EgressFailedException.Kind;
import io.millrace.support.TestConfig;
import io.smallrye.mutiny.subscription.Cancellable;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.NetServer;
import io.vertx.core.net.PfxOptions;

@DisplayNameGeneration(ReplaceUnderscores.class)
class EgressClientTest {

    static final long MANY_BYTES = 1_000_000;
    static final Duration LONG = Duration.ofMinutes(1);
    /** Counts as public here: no test calls an address of the internet. */
    static final String PUBLIC = "127.0.0.2";

    final Vertx vertx = Vertx.vertx();
    final AtomicInteger hits = new AtomicInteger();
    final Map<String, List<String>> names = new ConcurrentHashMap<>();
    final Map<String, AtomicInteger> lookUps = new ConcurrentHashMap<>();
    Handler<HttpServerRequest> behaviour = request -> request.response().end("hello");
    HttpServer server;
    HttpServer tlsServer;

    @BeforeEach
    void startServer() throws Exception {
        server = start(new HttpServerOptions());
        names.put("open.test", List.of("127.0.0.1"));
        names.put("private.test", List.of("127.0.0.1"));
    }

    @AfterEach
    void stop() throws Exception {
        vertx.close().toCompletionStage().toCompletableFuture().get(5, TimeUnit.SECONDS);
    }

    @Test
    void an_open_host_is_read() {
        behaviour = request -> request.response().putHeader("X-Seen", request.getHeader("Host") + request.uri()).end("hello");

        EgressResponse response = get(client(Map.of()), url("open.test", "/a/b?c=d%20e#f"));

        assertThat(response.status()).isEqualTo(200);
        assertThat(response.body()).isEqualTo("hello".getBytes(UTF_8));
        assertThat(response.headers().get("X-Seen")).isEqualTo("open.test:" + server.actualPort() + "/a/b?c=d%20e");
    }

    @ParameterizedTest
    @ValueSource(strings = {"private.test", "127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]",
            "[64:ff9b::7f00:1]"})
    void loopback_is_refused_and_never_reached(String host) {
        // Its port is allowed here, so that only the address speaks against it.
        EgressClient client = client(Map.of("allowed-ports", String.valueOf(server.actualPort())));

        assertThatThrownBy(() -> get(client, url(host, "/"))).isInstanceOf(EgressRefusedException.class)
                .hasMessageContaining("millrace.egress.open-hosts");
        assertThat(hits).hasValue(0);
    }

    @Test
    void a_host_with_one_private_address_among_public_ones_is_refused() {
        names.put("mixed.test", List.of(PUBLIC, "127.0.0.1"));
        EgressClient client = client(Map.of("allowed-ports", String.valueOf(server.actualPort())));

        assertThatThrownBy(() -> get(client, url("mixed.test", "/"))).isInstanceOf(EgressRefusedException.class);
        assertThat(hits).hasValue(0);
    }

    @Test
    void the_address_that_was_checked_is_the_one_that_is_called_whatever_the_name_says_later() throws Exception {
        AtomicInteger publicHits = new AtomicInteger();
        vertx.createHttpServer().requestHandler(request -> {
            publicHits.incrementAndGet();
            request.response().end(request.getHeader("Host"));
        }).listen(server.actualPort(), PUBLIC).toCompletionStage().toCompletableFuture().get(5, TimeUnit.SECONDS);
        HostResolver rebinding = host -> List
                .of(literal(lookUps.computeIfAbsent(host, h -> new AtomicInteger()).getAndIncrement() == 0
                        ? PUBLIC
                        : "127.0.0.1"));
        EgressClient client = new EgressClient(vertx, config(Map.of("allowed-ports", String.valueOf(server.actualPort()))),
                rebinding, EgressClientTest::isPublicHere);

        assertThat(get(client, url("rebinding.test", "/")).body())
                .isEqualTo(("rebinding.test:" + server.actualPort()).getBytes(UTF_8));
        assertThat(lookUps.get("rebinding.test")).as("look-ups for one call").hasValue(1);
        assertThatThrownBy(() -> get(client, url("rebinding.test", "/"))).as("the next call is checked anew")
                .isInstanceOf(EgressRefusedException.class);
        assertThat(publicHits).hasValue(1);
        assertThat(hits).hasValue(0);
    }

    @Test
    void the_next_address_is_taken_if_the_first_cannot_be_connected_to() {
        names.put("open.test", List.of("127.0.0.2", "127.0.0.1"));

        assertThat(get(client(Map.of()), url("open.test", "/")).status()).isEqualTo(200);
    }

    @Test
    void a_redirect_is_followed() {
        behaviour = request -> {
            if (request.path().equals("/dir/old")) {
                request.response().setStatusCode(302).putHeader("Location", "new?x=y").end("moved");
            } else {
                request.response().end(request.uri());
            }
        };

        EgressResponse response = get(client(Map.of()), url("open.test", "/dir/old"));

        assertThat(response.body()).isEqualTo("/dir/new?x=y".getBytes(UTF_8));
        assertThat(response.uri()).isEqualTo(url("open.test", "/dir/new?x=y"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://private.test/", "http://127.0.0.1/", "//private.test/", "https://[::1]/",
            "file:///etc/passwd",
            "http://169.254.169.254/latest/meta-data/", "http://user:pw@open.test/", "http://open.test:6379/", "http:// /"})
    void a_redirect_to_what_is_not_allowed_is_refused(String location) {
        behaviour = request -> request.response().setStatusCode(307).putHeader("Location", location).end();

        assertThatThrownBy(() -> get(client(Map.of()), url("open.test", "/"))).isInstanceOf(EgressRefusedException.class);
        assertThat(hits).hasValue(1);
    }

    @Test
    void a_loop_of_redirects_ends() {
        behaviour = request -> request.response().setStatusCode(308).putHeader("Location", "/again").end();

        assertThatThrownBy(() -> get(client(Map.of("max-redirects", "2")), url("open.test", "/")))
                .isInstanceOf(EgressRefusedException.class).hasMessageContaining("more than 2 redirects");
        assertThat(hits).hasValue(3);
    }

    @Test
    void a_body_is_cut_where_the_cap_is_even_if_its_length_is_not_declared() {
        CountDownLatch closed = new CountDownLatch(1);
        behaviour = request -> {
            request.connection().closeHandler(gone -> closed.countDown());
            request.response().setChunked(true);
            vertx.setPeriodic(1, timer -> {
                if (closed.getCount() == 0) {
                    vertx.cancelTimer(timer);
                } else {
                    request.response().write(Buffer.buffer(new byte[10_000]));
                }
            });
        };

        assertFails(() -> get(client(Map.of()), url("open.test", "/")), Kind.TOO_LARGE);
        await().atMost(Duration.ofSeconds(5)).until(() -> closed.getCount() == 0);
    }

    @Test
    void a_declared_length_over_the_cap_is_refused_at_once() {
        behaviour = request -> request.response().putHeader("Content-Length", String.valueOf(MANY_BYTES + 1)).write("x");

        assertFails(() -> get(client(Map.of()), url("open.test", "/")), Kind.TOO_LARGE);
    }

    @Test
    void a_body_of_exactly_the_cap_is_read() {
        behaviour = request -> request.response().end(Buffer.buffer(new byte[(int) MANY_BYTES]));

        assertThat(get(client(Map.of()), url("open.test", "/")).body()).hasSize((int) MANY_BYTES);
    }

    @Test
    void a_compressed_answer_stays_compressed() throws Exception {
        ByteArrayOutputStream compressed = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(compressed)) {
            gzip.write(new byte[100_000_000]);
        }
        behaviour = request -> request.response().putHeader("Content-Encoding", "gzip")
                .end(Buffer.buffer(compressed.toByteArray()));

        assertThat(get(client(Map.of()), url("open.test", "/")).body()).isEqualTo(compressed.toByteArray());
    }

    @Test
    void silence_before_the_first_byte_ends_the_call() {
        behaviour = request -> {};

        assertFails(() -> get(client(Map.of("idle-timeout", "200ms")), url("open.test", "/")), Kind.TIMEOUT)
                .withMessageContaining("silent");
    }

    @Test
    void silence_within_the_body_ends_the_call() {
        behaviour = request -> request.response().putHeader("Content-Length", "100").write("first");

        assertFails(() -> get(client(Map.of("idle-timeout", "200ms")), url("open.test", "/")), Kind.TIMEOUT)
                .withMessageContaining("silent");
    }

    @Test
    void a_body_that_drips_is_cut_off_by_the_total_timeout() {
        behaviour = request -> {
            request.response().setChunked(true);
            long timer = vertx.setPeriodic(20, tick -> request.response().write("."));
            request.connection().closeHandler(gone -> vertx.cancelTimer(timer));
        };

        assertFails(() -> get(client(Map.of("connect-timeout", "200ms", "total-timeout", "500ms")), url("open.test", "/")),
                Kind.TIMEOUT).withMessageContaining("500 ms");
    }

    @Test
    void the_callers_time_counts_if_it_is_shorter() {
        behaviour = request -> {};
        EgressClient client = client(Map.of());

        assertFails(() -> client.get(url("open.test", "/"), MANY_BYTES, Duration.ofMillis(150)).await().atMost(LONG),
                Kind.TIMEOUT)
                .withMessageContaining("150 ms");
        assertFails(() -> client.get(url("open.test", "/"), MANY_BYTES, Duration.ZERO).await().atMost(LONG), Kind.TIMEOUT);
    }

    @Test
    void cancelling_resets_the_request() throws Exception {
        CompletableFuture<Void> arrived = new CompletableFuture<>();
        CompletableFuture<Void> closed = new CompletableFuture<>();
        behaviour = request -> {
            request.connection().closeHandler(closed::complete);
            arrived.complete(null);
        };

        Cancellable call = client(Map.of()).get(url("open.test", "/"), MANY_BYTES, LONG).subscribe().with(response -> {});
        arrived.get(5, TimeUnit.SECONDS);
        assertThat(closed).isNotDone();
        call.cancel();

        closed.get(5, TimeUnit.SECONDS);
    }

    @Test
    void a_status_other_than_2xx_fails_with_it_and_what_the_server_asked_for() {
        behaviour = request -> request.response().setStatusCode(429).putHeader("Retry-After", "7").end();

        assertThatThrownBy(() -> get(client(Map.of()), url("open.test", "/")))
                .asInstanceOf(InstanceOfAssertFactories.type(EgressFailedException.class)).satisfies(failure -> {
                    assertThat(failure.kind()).isEqualTo(Kind.STATUS);
                    assertThat(failure.status()).isEqualTo(429);
                    assertThat(failure.retryAfter()).contains(Duration.ofSeconds(7));
                    assertThat(failure.isTransient()).isTrue();
                });
    }

    @Test
    void a_missing_page_is_not_worth_another_try() {
        behaviour = request -> request.response().setStatusCode(404).end();

        assertThatThrownBy(() -> get(client(Map.of()), url("open.test", "/")))
                .asInstanceOf(InstanceOfAssertFactories.type(EgressFailedException.class))
                .satisfies(failure -> assertThat(failure.isTransient()).isFalse());
    }

    @Test
    void an_unknown_name_and_a_closed_port_are_told_as_unreachable() throws Exception {
        assertFails(() -> get(client(Map.of("open-hosts", "nowhere.test")), url("nowhere.test", "/")), Kind.UNREACHABLE)
                .withMessageContaining("unknown host nowhere.test");

        URI url = url("open.test", "/");
        EgressClient client = client(Map.of());
        server.close().toCompletionStage().toCompletableFuture().get(5, TimeUnit.SECONDS);
        assertFails(() -> get(client, url), Kind.UNREACHABLE);
    }

    @Test
    void a_look_up_that_hangs_is_given_up() {
        CountDownLatch end = new CountDownLatch(1);
        HostResolver hanging = host -> {
            try {
                end.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            throw new UnknownHostException(host);
        };
        EgressClient client = new EgressClient(vertx, config(Map.of("connect-timeout", "200ms")), hanging,
                AddressGuard::isPublic);

        assertFails(() -> get(client, URI.create("http://slow.test/")), Kind.UNREACHABLE).withMessageContaining("looking up");
        end.countDown();
    }

    @Test
    void a_connection_that_breaks_is_told_as_broken() {
        behaviour = request -> {
            request.response().putHeader("Content-Length", "100").write("first");
            request.connection().close();
        };

        assertFails(() -> get(client(Map.of()), url("open.test", "/")), Kind.BROKEN);
    }

    @Test
    void a_certificate_that_nobody_vouches_for_is_not_trusted(@TempDir Path folder) throws Exception {
        startTls(folder);

        assertFails(() -> get(client(Map.of("open-hosts", "open.test")), tls("open.test")), Kind.UNREACHABLE);
        assertThat(hits).hasValue(0);
    }

    @Test
    void the_certificate_has_to_be_that_of_the_name_although_an_address_is_called(@TempDir Path folder) throws Exception {
        trusting(startTls(folder), () -> {
            EgressClient client = client(Map.of("open-hosts", "open.test, private.test, 127.0.0.1"));

            assertThat(get(client, tls("open.test")).status()).isEqualTo(200);
            assertFails(() -> get(client, tls("private.test")), Kind.UNREACHABLE);
            assertFails(() -> get(client, tls("127.0.0.1")), Kind.UNREACHABLE);
        });
        assertThat(hits).hasValue(1);
    }

    @Test
    void a_redirect_from_https_to_http_is_not_followed(@TempDir Path folder) throws Exception {
        URI plain = url("open.test", "/plain");
        trusting(startTls(folder), () -> {
            behaviour = request -> request.response().setStatusCode(302).putHeader("Location", plain.toString()).end();

            assertThatThrownBy(() -> get(client(Map.of("open-hosts", "open.test")), tls("open.test")))
                    .isInstanceOf(EgressRefusedException.class).hasMessageContaining("https to http");
        });
        assertThat(hits).hasValue(1);
    }

    @Test
    void nothing_goes_along_from_one_host_to_the_next() {
        List<Map<String, String>> seen = new CopyOnWriteArrayList<>();
        names.put("next.test", List.of("127.0.0.1"));
        behaviour = request -> {
            Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
            request.headers().forEach(header -> headers.put(header.getKey(), header.getValue()));
            seen.add(headers);
            request.response().setStatusCode(request.path().equals("/end") ? 200 : 302)
                    .putHeader("Set-Cookie", "session=secret").putHeader("WWW-Authenticate", "Basic realm=x")
                    .putHeader("Location", url("next.test", "/end").toString()).end();
        };

        get(client(Map.of("open-hosts", "open.test, next.test")), url("open.test", "/?token=secret"));

        assertThat(seen).hasSize(2).allSatisfy(headers -> assertThat(headers).containsOnlyKeys("Host", "User-Agent",
                "Accept-Encoding"));
        assertThat(seen.get(1)).containsEntry("Host", "next.test:" + server.actualPort());
    }

    @Test
    void the_proxy_of_the_JVM_is_not_used() throws Exception {
        AtomicInteger proxied = new AtomicInteger();
        NetServer proxy = vertx.createNetServer().connectHandler(connection -> {
            proxied.incrementAndGet();
            connection.close();
        }).listen(0, "127.0.0.1").toCompletionStage().toCompletableFuture().get(5, TimeUnit.SECONDS);
        Map<String, String> properties = new HashMap<>();
        for (String kind : List.of("http", "https", "socks")) {
            properties.put(kind + (kind.equals("socks") ? "ProxyHost" : ".proxyHost"), "127.0.0.1");
            properties.put(kind + (kind.equals("socks") ? "ProxyPort" : ".proxyPort"), String.valueOf(proxy.actualPort()));
        }

        with(properties, () -> assertThat(get(client(Map.of()), url("open.test", "/")).status()).isEqualTo(200));

        assertThat(proxied).hasValue(0);
    }

    /** @return the server's certificate, for {@code open.test} alone */
    private Path startTls(Path folder) throws Exception {
        Path store = folder.resolve("self-signed.p12");
        Process keytool = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair", "-keyalg", "EC", "-alias", "server", "-dname", "CN=open.test", "-ext", "san=dns:open.test",
                "-storepass", "secret", "-storetype", "PKCS12", "-keystore", store.toString()).redirectErrorStream(true)
                .start();
        assertThat(keytool.waitFor()).isZero();
        tlsServer = start(new HttpServerOptions().setSsl(true)
                .setPfxKeyCertOptions(new PfxOptions().setPath(store.toString()).setPassword("secret")));
        return store;
    }

    private URI tls(String host) {
        return URI.create("https://" + host + ":" + tlsServer.actualPort() + "/");
    }

    private static void trusting(Path store, Runnable test) {
        with(Map.of("javax.net.ssl.trustStore", store.toString(), "javax.net.ssl.trustStorePassword", "secret"), test);
    }

    private static void with(Map<String, String> properties, Runnable test) {
        properties.forEach(System::setProperty);
        try {
            test.run();
        } finally {
            properties.keySet().forEach(System::clearProperty);
        }
    }

    private HttpServer start(HttpServerOptions options) throws Exception {
        return vertx.createHttpServer(options).requestHandler(request -> {
            hits.incrementAndGet();
            behaviour.handle(request);
        }).listen(0, "127.0.0.1").toCompletionStage().toCompletableFuture().get(5, TimeUnit.SECONDS);
    }

    private EgressClient client(Map<String, String> settings) {
        return new EgressClient(vertx, config(settings), host -> {
            List<String> addresses = names.get(host);
            if (addresses == null && host.endsWith(".test")) {
                throw new UnknownHostException(host);
            }
            return addresses == null
                    ? HostResolver.system().resolve(host)
                    : addresses.stream().map(EgressClientTest::literal).toList();
        }, EgressClientTest::isPublicHere);
    }

    private EgressConfig config(Map<String, String> settings) {
        Map<String, String> keys = new HashMap<>(Map.of("millrace.egress.open-hosts", "open.test:" + server.actualPort()));
        settings.forEach((key, value) -> keys.put("millrace.egress." + key, value));
        return TestConfig.of(EgressConfig.class, keys);
    }

    private URI url(String host, String rest) {
        return URI.create("http://" + host + ":" + server.actualPort() + rest);
    }

    private static EgressResponse get(EgressClient client, URI url) {
        return client.get(url, MANY_BYTES, LONG).await().atMost(LONG);
    }

    private static ThrowableAssertAlternative<EgressFailedException> assertFails(
            ThrowingCallable call, Kind kind) {
        return assertThatExceptionOfType(EgressFailedException.class).isThrownBy(call)
                .satisfies(failure -> assertThat(failure.kind()).as(failure.toString()).isEqualTo(kind));
    }

    private static boolean isPublicHere(InetAddress address) {
        return address.getHostAddress().equals(PUBLIC) || AddressGuard.isPublic(address);
    }

    private static InetAddress literal(String address) {
        try {
            return InetAddress.getByName(address);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(e);
        }
    }
}
