package io.millrace.support;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import java.util.zip.GZIPInputStream;

import com.google.protobuf.ByteString;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.trace.v1.ResourceSpans;
import io.opentelemetry.proto.trace.v1.Status;

/** A collector: takes spans as OTLP over HTTP, on the loopback interface, and keeps them. */
public final class SpanSink implements AutoCloseable {
    private static final int OK = 200;

    /**
     * A span as it arrived.
     *
     * @param parentId empty for none
     * @param links ids of trace and span, with a blank between
     */
    public record Received(String traceId, String spanId, String parentId, String name, String kind,
            Map<String, String> attributes,
            List<String> links, boolean isError, long startNanos, long endNanos, String service) {

        public String attribute(String key) {
            return attributes.get(key);
        }
    }

    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final List<Received> spans = new CopyOnWriteArrayList<>();
    private final List<byte[]> bodies = new CopyOnWriteArrayList<>();
    private final List<String> tokens = new CopyOnWriteArrayList<>();
    private final Runnable beforeAnswer;

    /** @param port 0 for any */
    public SpanSink(int port) {
        this(port, () -> {});
    }

    /** @param beforeAnswer may hold an answer back */
    public SpanSink(int port, Runnable beforeAnswer) {
        this.beforeAnswer = beforeAnswer;
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), port), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.setExecutor(threads);
        server.createContext("/v1/traces", this::take);
        server.start();
    }

    public String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    public List<Received> spans() {
        return List.copyOf(spans);
    }

    public List<Received> spans(String traceId) {
        return spans.stream().filter(span -> span.traceId().equals(traceId)).toList();
    }

    /** Whatever was sent, as it came. */
    public String text() {
        return bodies.stream().map(body -> new String(body, java.nio.charset.StandardCharsets.ISO_8859_1))
                .collect(Collectors.joining());
    }

    /** @return the headers {@code Authorization} of all requests */
    public List<String> tokens() {
        return List.copyOf(tokens);
    }

    private void take(HttpExchange exchange) throws IOException {
        try (exchange; InputStream in = new GZIPInputStream(exchange.getRequestBody())) {
            byte[] body = in.readAllBytes();
            Optional.ofNullable(exchange.getRequestHeaders().getFirst("Authorization")).ifPresent(tokens::add);
            beforeAnswer.run();
            bodies.add(body);
            ExportTraceServiceRequest.parseFrom(body).getResourceSpansList().forEach(this::keep);
            exchange.getResponseHeaders().add("Content-Type", "application/x-protobuf");
            exchange.sendResponseHeaders(OK, -1);
        }
    }

    private void keep(ResourceSpans resource) {
        String service = attributes(resource.getResource().getAttributesList()).get("service.name");
        resource.getScopeSpansList().forEach(scope -> scope.getSpansList()
                .forEach(span -> spans.add(new Received(hex(span.getTraceId()), hex(span.getSpanId()),
                        hex(span.getParentSpanId()),
                        span.getName(), span.getKind().name().replace("SPAN_KIND_", ""), attributes(span.getAttributesList()),
                        span.getLinksList().stream().map(link -> hex(link.getTraceId()) + " " + hex(link.getSpanId())).toList(),
                        span.getStatus().getCode() == Status.StatusCode.STATUS_CODE_ERROR, span.getStartTimeUnixNano(),
                        span.getEndTimeUnixNano(), service))));
    }

    private static Map<String, String> attributes(List<KeyValue> list) {
        return list.stream().collect(Collectors.toMap(KeyValue::getKey, pair -> text(pair.getValue())));
    }

    private static String text(AnyValue value) {
        return value.hasIntValue() ? Long.toString(value.getIntValue()) : value.getStringValue();
    }

    private static String hex(ByteString bytes) {
        return HexFormat.of().formatHex(bytes.toByteArray());
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
