package io.millrace.tracing;

import java.util.Map;

import io.millrace.support.TestConfig;

/** Tracing without an application. */
public final class TestTracing {
    private TestTracing() {}

    public static Tracing off() {
        return with(Map.of());
    }

    /** Sends what is left, and ends its threads. */
    public static void close(Tracing tracing) {
        tracing.close();
    }

    /** @param settings full keys */
    public static Tracing with(Map<String, String> settings) {
        return new Tracing(TestConfig.of(TracingConfig.class, settings), false);
    }
}
