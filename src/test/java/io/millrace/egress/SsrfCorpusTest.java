package io.millrace.egress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

import io.millrace.support.EgressCorpus;
import io.millrace.support.TestConfig;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.net.NetServer;

/** Everything of {@link EgressCorpus} against the client, with a sink on loopback that counts who connects to it. */
@DisplayNameGeneration(ReplaceUnderscores.class)
class SsrfCorpusTest {

    static final Duration LONG = Duration.ofSeconds(30);
    static final int MOST_BYTES = 10_000;
    static final String LOOPBACK = "127.0.0.1";
    static final String PUBLIC = "127.0.0.2";
    static final int[] REDIRECTS = {301, 302, 303, 307, 308};

    final Vertx vertx = Vertx.vertx();
    final AtomicInteger sinkHits = new AtomicInteger();
    final AtomicInteger openHits = new AtomicInteger();
    final AtomicReference<String> location = new AtomicReference<>();
    final AtomicInteger status = new AtomicInteger(302);
    final List<String> wrong = new ArrayList<>();
    int port;
    HttpServer open;

    @BeforeEach
    void start() throws Exception {
        NetServer sink = get(sink(0, LOOPBACK));
        port = sink.actualPort();
        get(sink(port, "::1"));
        open = get(vertx.createHttpServer().requestHandler(request -> {
            openHits.incrementAndGet();
            request.response().setStatusCode(status.get()).putHeader("Location", location.get()).end();
        }).listen(0, LOOPBACK));
    }

    private Future<NetServer> sink(int port, String host) {
        return vertx.createNetServer().connectHandler(connection -> {
            sinkHits.incrementAndGet();
            connection.close();
        }).listen(port, host);
    }

    @AfterEach
    void stop() throws Exception {
        get(vertx.close());
    }

    @Test
    void the_sink_sees_who_comes() {
        EgressClient client = client("127.0.0.1, [::1]", this::anywhere);

        assertThat(failure(client, "http://127.0.0.1:" + port + "/")).isInstanceOf(EgressFailedException.class);
        assertThat(sinkHits).hasValue(1);
        assertThat(failure(client, "http://[::1]:" + port + "/")).isInstanceOf(EgressFailedException.class);
        assertThat(sinkHits).hasValue(2);
    }

    @Test
    void no_address_of_our_own_network_is_called_neither_as_a_literal_nor_behind_a_name() throws Exception {
        for (String address : EgressCorpus.addresses()) {
            InetAddress literal = InetAddress.getByName(address);
            if (AddressGuard.isPublic(literal)) {
                wrong.add(address + " is public");
            }
            String host = address.contains(":") ? "[" + address + "]" : address;
            expectRefusal(client("", this::anywhere), "http://" + host + ":" + port + "/");
            expectRefusal(client("", name -> List.of(literal)), "http://inside.test:" + port + "/");
        }
        assertThat(wrong).isEmpty();
        assertThat(sinkHits).hasValue(0);
    }

    @Test
    void no_spelling_of_a_URL_leads_to_the_sink() {
        EgressClient client = client("", this::anywhere);
        for (String url : EgressCorpus.urls(port)) {
            Throwable failure = failure(client, url);
            boolean isPublic = failure instanceof EgressFailedException failed
                    && failed.kind() == EgressFailedException.Kind.UNREACHABLE;
            if (!(failure instanceof EgressRefusedException) && !isPublic) {
                wrong.add(url + ": " + failure);
            }
            expectPlain(url, failure);
        }
        assertThat(wrong).isEmpty();
        assertThat(sinkHits).hasValue(0);
    }

    @Test
    void no_redirect_leads_to_the_sink() {
        EgressClient client = client("open.test:" + open.actualPort(), this::anywhere);
        List<String> locations = EgressCorpus.redirects(port, open.actualPort());
        for (String each : locations) {
            location.set(each);
            for (int redirect : REDIRECTS) {
                status.set(redirect);
                expectRefusal(client, "http://open.test:" + open.actualPort() + "/");
            }
        }
        assertThat(wrong).isEmpty();
        assertThat(openHits.get()).isGreaterThanOrEqualTo(locations.size() * REDIRECTS.length);
        assertThat(sinkHits).hasValue(0);
    }

    @Test
    void no_name_leads_to_the_sink_whatever_it_resolves_to_and_however_that_changes() {
        for (List<List<String>> lookUps : EgressCorpus.names()) {
            Iterator<List<String>> next = lookUps.iterator();
            EgressClient client = client("", name -> next.next().stream().map(SsrfCorpusTest::literal).toList());
            for (int call = 1; call <= lookUps.size(); call++) { // a second look-up within a call would find no answer
                Throwable failure = failure(client, "http://name.test:" + port + "/");
                boolean isLast = call == lookUps.size();
                if (isLast != failure instanceof EgressRefusedException) {
                    wrong.add(lookUps + ", call " + call + ": " + failure);
                }
            }
        }
        assertThat(wrong).isEmpty();
        assertThat(sinkHits).hasValue(0);
    }

    @Test
    void a_name_without_any_address_is_unknown() {
        assertThat(failure(client("", name -> List.of()), "http://empty.test:" + port + "/"))
                .isInstanceOf(EgressFailedException.class).hasMessageContaining("unknown host");
    }

    @Test
    void the_documentation_says_how_much_was_tried() throws IOException {
        String documented = Files.readString(Path.of("docs/security.md"));

        assertThat(documented).contains(EgressCorpus.addresses().size() + " addresses", EgressCorpus.urls(1).size() + " URLs",
                EgressCorpus.redirects(1, 1).size() + " redirects", EgressCorpus.names().size() + " names",
                HostileAnswersTest.Answer.values().length + " hostile answers");
    }

    private void expectRefusal(EgressClient client, String url) {
        Throwable failure = failure(client, url);
        if (!(failure instanceof EgressRefusedException)) {
            wrong.add(url + " " + location.get() + ": " + failure);
        }
        expectPlain(url, failure);
    }

    private void expectPlain(String url, Throwable failure) {
        if (!HostileAnswersTest.isPlain(failure)) {
            wrong.add(url + " is told with characters that are none: " + failure);
        }
    }

    private static Throwable failure(EgressClient client, String url) {
        return catchThrowable(() -> client.get(EgressClient.parse(url), MOST_BYTES, LONG).await().atMost(LONG));
    }

    /** Names that are not in this table, or are literals, lead to loopback. */
    private List<InetAddress> anywhere(String host) throws UnknownHostException {
        return switch (host) {
            case "public.test" -> List.of(literal(PUBLIC));
            case "mixed.test" -> List.of(literal(PUBLIC), literal(LOOPBACK));
            case "alias.test", "metadata.google.internal" -> List.of(literal("169.254.169.254"));
            default -> host.endsWith(".test") ? List.of(literal(LOOPBACK)) : HostResolver.system().resolve(host);
        };
    }

    /** The port of the sink is allowed, so that only the address speaks against it. */
    private EgressClient client(String openHosts, HostResolver resolver) {
        return new EgressClient(vertx, TestConfig.of(EgressConfig.class, Map.of("millrace.egress.open-hosts", openHosts,
                "millrace.egress.allowed-ports", "80,443," + port)), resolver,
                address -> address.getHostAddress().equals(PUBLIC) || AddressGuard.isPublic(address));
    }

    private static InetAddress literal(String address) {
        try {
            return InetAddress.getByName(address);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private static <T> T get(Future<T> future) throws Exception {
        return future.toCompletionStage().toCompletableFuture().get(5, TimeUnit.SECONDS);
    }
}
