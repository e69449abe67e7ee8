package io.millrace.egress;

import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;

import io.millrace.egress.EgressRules.Target;
import io.smallrye.mutiny.TimeoutException;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.net.SocketAddress;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;

/**
 * Calls addresses that users name, and only those which anybody on the internet could call too.
 *
 * <p>
 * A host is looked up once for each hop, all its addresses are checked, and the connection is made to an address that was
 * checked: a name that changes between check and connect (DNS rebinding) changes nothing. The certificate is checked against
 * the name. Connections are kept for the same name and address alone. Cancelling a subscription resets the request.
 */
@ApplicationScoped
public class EgressClient {

    /** Look-ups that hang take threads of their own, not those that all of Quarkus shares. */
    private static final int RESOLVER_THREADS = 8;

    /** The most addresses of one host that are tried: each can cost a connect timeout. */
    private static final int MAX_ADDRESSES = 3;

    /** Shorter than what servers use (Node 5 s, nginx 75 s), so that they seldom close under a request that is on its way. */
    private static final int KEEP_ALIVE_SECONDS = 4;

    private static final CharSequence TRACE_PARENT = HttpHeaders.createOptimized("traceparent");

    private final Vertx vertx;
    private final EgressConfig config;
    private final EgressRules rules;
    private final HostResolver resolver;
    private final WorkerExecutor resolverThreads;
    private final HttpClient http;

    @Inject
    public EgressClient(Vertx vertx, EgressConfig config) {
        this(vertx, config, HostResolver.system(), AddressGuard::isPublic);
    }

    EgressClient(Vertx vertx, EgressConfig config, HostResolver resolver, Predicate<InetAddress> isPublic) {
        this.vertx = vertx;
        this.config = config;
        this.rules = new EgressRules(config, isPublic);
        this.resolver = resolver;
        this.resolverThreads = vertx.createSharedWorkerExecutor("egress-resolver", RESOLVER_THREADS, 1, TimeUnit.MINUTES);
        int connectMillis = Math.toIntExact(config.connectTimeout().toMillis());
        // No proxy: it would look the name up again, and it could reach what we must not. Vert.x takes none from the environment.
        // No metrics name: each address that a user thinks of would become a label.
        this.http = vertx.createHttpClient(
                new HttpClientOptions().setConnectTimeout(connectMillis).setSslHandshakeTimeout(connectMillis)
                        .setSslHandshakeTimeoutUnit(TimeUnit.MILLISECONDS).setKeepAliveTimeout(KEEP_ALIVE_SECONDS)
                        .setDecompressionSupported(false),
                new PoolOptions().setHttp1MaxSize(config.maxConnectionsPerHost()));
    }

    @PreDestroy
    void close() {
        http.close();
        resolverThreads.close();
    }

    /** @throws EgressRefusedException if the text is not a URL at all; whether it may be called, {@link #get} says */
    public static URI parse(String url) {
        return EgressRules.parse(url);
    }

    /**
     * Reads what is at an address, following redirects.
     *
     * @param maxBytes a longer body ends the call
     * @param atMost how long the whole call may take; {@link EgressConfig#totalTimeout()} if that is shorter
     * @return an answer with a 2xx status; fails with {@link EgressRefusedException} or {@link EgressFailedException}
     */
    public Uni<EgressResponse> get(URI uri, long maxBytes, Duration atMost) {
        return get(uri, maxBytes, atMost, null);
    }

    /** @param traceParent for the header {@code traceparent} of each request, so that whoever answers may add to our trace; or null */
    public Uni<EgressResponse> get(URI uri, long maxBytes, Duration atMost, String traceParent) {
        Duration limit = atMost.compareTo(config.totalTimeout()) < 0 ? atMost : config.totalTimeout();
        if (limit.isNegative() || limit.isZero()) {
            return Uni.createFrom().failure(() -> EgressFailedException.timeout("no time was left for the call"));
        }
        return Uni.createFrom().deferred(() -> follow(new Call(maxBytes, traceParent), uri, config.maxRedirects())).ifNoItem()
                .after(limit)
                .failWith(() -> EgressFailedException.timeout("the call took longer than " + limit.toMillis() + " ms"));
    }

    /** What is the same for each request of one call. */
    private record Call(long maxBytes, String traceParent) {}

    private Uni<EgressResponse> follow(Call call, URI uri, int redirectsLeft) {
        Target target = rules.check(uri);
        return resolve(target).invoke(addresses -> rules.check(target, addresses))
                .chain(addresses -> exchange(call, target, addresses.stream().limit(MAX_ADDRESSES).toList()))
                .chain(response -> isRedirect(response) ? redirect(call, response, redirectsLeft) : successful(response));
    }

    /** The new address goes through every check again. Nothing that a server set, a cookie say, goes along. */
    private Uni<EgressResponse> redirect(Call call, EgressResponse response, int redirectsLeft) {
        if (redirectsLeft == 0) {
            throw new EgressRefusedException(
                    "more than " + config.maxRedirects() + " redirects are not followed (millrace.egress.max-redirects)");
        }
        URI location = response.uri().resolve(parse(response.headers().get(HttpHeaders.LOCATION)));
        EgressRules.checkHop(response.uri(), location);
        return follow(call, location, redirectsLeft - 1);
    }

    private Uni<List<InetAddress>> resolve(Target target) {
        String host = target.hostToResolve();
        return Uni.createFrom().<List<InetAddress>>emitter(emitter -> {
            AtomicBoolean wanted = new AtomicBoolean(true);
            emitter.onTermination(() -> wanted.set(false));
            // When its time is over, a look-up may still be queued behind others that hang: then it is skipped.
            resolverThreads.executeBlocking(() -> wanted.get() ? resolver.resolve(host) : List.<InetAddress>of(), false)
                    .onSuccess(emitter::complete).onFailure(emitter::fail);
        }).ifNoItem().after(config.connectTimeout()).fail().onFailure(UnknownHostException.class)
                .transform(failure -> EgressFailedException.unreachable("unknown host " + host, failure))
                .onFailure(TimeoutException.class)
                .transform(failure -> EgressFailedException.unreachable("looking up " + host + " took too long", failure))
                .onItem().transform(addresses -> known(host, addresses));
    }

    private static List<InetAddress> known(String host, List<InetAddress> addresses) {
        if (addresses.isEmpty()) {
            throw EgressFailedException.unreachable("unknown host " + host, null);
        }
        return addresses;
    }

    /** Takes the next address if one cannot be connected to: of a host with IPv6 and IPv4 often only one can be reached. */
    private Uni<EgressResponse> exchange(Call call, Target target, List<InetAddress> addresses) {
        Uni<EgressResponse> exchange = Exchange.of(vertx, target.uri(),
                () -> http.request(request(call, target, addresses.get(0))), call.maxBytes(), config.idleTimeout());
        List<InetAddress> others = addresses.subList(1, addresses.size());
        return others.isEmpty()
                ? exchange
                : exchange.onFailure(EgressClient::isUnreachable).recoverWithUni(() -> exchange(call, target, others));
    }

    private RequestOptions request(Call call, Target target, InetAddress address) {
        RequestOptions options = new RequestOptions().setMethod(HttpMethod.GET)
                // A literal, so that no name is looked up again; the host stays for the Host header, SNI and the certificate.
                .setServer(SocketAddress.inetSocketAddress(target.port(), address.getHostAddress())).setHost(target.host())
                .setPort(target.port()).setSsl(target.ssl()).setURI(target.requestUri()).setFollowRedirects(false)
                .putHeader(HttpHeaders.USER_AGENT, "Millrace")
                .putHeader(HttpHeaders.ACCEPT_ENCODING, HttpHeaders.IDENTITY);
        return call.traceParent() == null ? options : options.putHeader(TRACE_PARENT, call.traceParent());
    }

    private static Uni<EgressResponse> successful(EgressResponse response) {
        if (response.status() / 100 == 2) {
            return Uni.createFrom().item(response);
        }
        return Uni.createFrom().failure(EgressFailedException.status(response.uri().getHost(), response.status(),
                RetryAfter.parse(response.headers().get(HttpHeaders.RETRY_AFTER), Instant.now()).orElse(null)));
    }

    private static boolean isRedirect(EgressResponse response) {
        return switch (response.status()) {
            case 301, 302, 303, 307, 308 -> response.headers().contains(HttpHeaders.LOCATION);
            default -> false;
        };
    }

    private static boolean isUnreachable(Throwable failure) {
        return failure instanceof EgressFailedException failed && failed.kind() == EgressFailedException.Kind.UNREACHABLE;
    }
}
