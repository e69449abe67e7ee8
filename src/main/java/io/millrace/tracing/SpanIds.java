package io.millrace.tracing;

import java.util.function.Supplier;

import io.opentelemetry.sdk.trace.IdGenerator;

/** Ids of spans and traces by chance, except where a span is to have one that others know already. */
final class SpanIds implements IdGenerator {
    private final IdGenerator byChance = IdGenerator.random();
    private final ThreadLocal<String> wanted = new ThreadLocal<>();

    /** @param start starts one span, on this thread, and it has the given id */
    <T> T with(String spanId, Supplier<T> start) {
        wanted.set(spanId);
        try {
            return start.get();
        } finally {
            wanted.remove();
        }
    }

    @Override
    public String generateSpanId() {
        String id = wanted.get();
        return id == null ? byChance.generateSpanId() : id;
    }

    @Override
    public String generateTraceId() {
        return byChance.generateTraceId();
    }
}
