package io.millrace.support;

import java.util.HashMap;
import java.util.Map;

import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;

/**
 * Gives a Quarkus test a database and a Redis of its own on the servers of the run, with {@link TransitionGuard} on. The servers
 * are not stopped between applications but at the JVM's end.
 */
public final class QuarkusServers implements QuarkusTestResourceLifecycleManager {

    /** A queue that runs one job at a time. */
    public static final String ONE_SLOT_QUEUE = "one-slot";

    /** Paths that only tests of masking use. */
    public static final Map<String, String> SENSITIVE = Map.of("millrace.types.echo.sensitive", "/secrets/*",
            "millrace.types.fail.sensitive", "/secrets/*");

    private static final String LOOPBACK = "127.0.0.1";

    @Override
    public Map<String, String> start() {
        Map<String, String> settings = new HashMap<>();
        // Main does not run in a Quarkus test, so the schema is ours to bring up to date.
        settings.put("millrace.database.url", TestServers.migratedDatabase());
        settings.put("millrace.redis.url", TestServers.freshRedis());
        settings.put("millrace.auth", "open");
        settings.put("millrace.maintenance.census-every", "1s"); // what it counts is seen at once
        settings.put("millrace.queues", "default,images:4," + ONE_SLOT_QUEUE + ":1");
        settings.put("millrace.egress.open-hosts", LOOPBACK); // the picture server of a test
        settings.putAll(SENSITIVE);
        return settings;
    }

    @Override
    public void stop() {}
}
