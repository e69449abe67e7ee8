package io.millrace.stream;

import java.time.Duration;
import java.util.Map;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

import io.millrace.support.TestServers;
import io.vertx.core.Vertx;

/** For tests that ask Redis alone: each class has an empty one of its own. */
abstract class RedisTest {

    static final Duration PATIENCE = Duration.ofSeconds(5);

    static Vertx vertx;
    static String url;
    static TestStreams streams;

    @BeforeAll
    static void connect() {
        vertx = Vertx.vertx();
        url = TestServers.freshRedis();
        streams = new TestStreams(vertx, url, Map.of());
    }

    @AfterAll
    static void disconnect() {
        streams.close();
        vertx.close();
    }
}
