package io.millrace.stream;

import java.util.Map;

import io.millrace.support.TestConfig;
import io.vertx.core.Vertx;

/** A process's side of a Redis, without an application. */
public final class TestStreams implements AutoCloseable {
    public final StreamConfig config;
    public final RedisConfig server;
    public final DispatchWindow window;
    public final DueTimes dueTimes = new DueTimes();
    public final JobStream jobs;
    public final StreamRepair repair;
    public final KeyHints hints;
    public final ByteCache cache;
    public final TokenBuckets tokens;
    private final SharedRedis redis;

    /** @param settings full keys, where they differ from the defaults */
    public TestStreams(Vertx vertx, String redisUrl, Map<String, String> settings) {
        config = TestConfig.of(StreamConfig.class, settings);
        server = TestConfig.of(RedisConfig.class, Map.of("millrace.redis.url", redisUrl));
        redis = new SharedRedis(vertx, server, config);
        window = new DispatchWindow(config);
        jobs = new JobStream(redis, config, window, dueTimes);
        repair = new StreamRepair(redis, config);
        hints = new KeyHints(redis);
        cache = new ByteCache(redis);
        tokens = new TokenBuckets(redis);
    }

    @Override
    public void close() {
        redis.close();
    }
}
