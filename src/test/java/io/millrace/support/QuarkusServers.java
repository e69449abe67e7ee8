package io.millrace.support;

import java.util.Map;

import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;

/** Gives a Quarkus test the servers of the run. They are not stopped between applications but at the JVM's end. */
public final class QuarkusServers implements QuarkusTestResourceLifecycleManager {

    @Override
    public Map<String, String> start() {
        TestServers servers = TestServers.get();
        return Map.of("millrace.database.url", servers.databaseUrl(), "millrace.redis.url", servers.redisUrl());
    }

    @Override
    public void stop() {}
}
