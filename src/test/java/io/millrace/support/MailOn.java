package io.millrace.support;

import java.util.Map;

import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;

/**
 * Beside {@link QuarkusServers}: mail goes to a port of the loopback interface, on which a test may open an {@link SmtpSink}, or not.
 */
public final class MailOn implements QuarkusTestResourceLifecycleManager {
    public static final String SENDER = "jobs@millrace.example";
    public static final String DOMAIN = "millrace.example";

    /** Waits long enough for a busy machine, and short enough for a test of a server that is silent. */
    private static final String REPLY_TIMEOUT = "2s";

    @Override
    public int order() {
        return 2;
    }

    @Override
    public Map<String, String> start() {
        return Map.of("millrace.mail.host", "127.0.0.1", "millrace.mail.port", Integer.toString(SmtpSink.freePort()),
                "millrace.mail.from", "Millrace <" + SENDER + ">", "millrace.mail.senders", "@partner.example",
                "millrace.mail.max-recipients", "5", "millrace.mail.reply-timeout", REPLY_TIMEOUT);
    }

    @Override
    public void stop() {}
}
