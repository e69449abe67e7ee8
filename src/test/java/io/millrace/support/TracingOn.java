package io.millrace.support;

import java.util.Map;

import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;

/** Beside {@link QuarkusServers}: spans go to a port of the loopback interface, on which a test opens a {@link SpanSink}. */
public final class TracingOn implements QuarkusTestResourceLifecycleManager {

    @Override
    public int order() {
        return 1;
    }

    @Override
    public Map<String, String> start() {
        return Map.of("millrace.tracing.endpoint", "http://127.0.0.1:" + SmtpSink.freePort() + "/",
                "millrace.tracing.headers", "Authorization=Bearer%20a%2Cb", "millrace.tracing.service", "mill",
                "millrace.tracing.every", "20ms", "millrace.tracing.timeout", "2s");
    }

    @Override
    public void stop() {}
}
