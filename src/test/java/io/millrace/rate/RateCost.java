package io.millrace.rate;

import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Map;

import io.millrace.rate.RateLimiter.Limited;
import io.millrace.stream.RedisKeys;
import io.millrace.stream.TestStreams;
import io.millrace.support.TestConfig;
import io.millrace.support.TestServers;
import io.vertx.core.Vertx;

/** What asking for a limit costs a request, beside the round trip to Redis that it saves. Run it with {@code main}. */
final class RateCost {
    private static final Duration LONG = Duration.ofSeconds(5);
    private static final int ROUNDS = 5;
    private static final int REQUESTS = 500_000;
    private static final int TRIPS = 500;

    private RateCost() {}

    public static void main(String[] arguments) {
        Vertx vertx = Vertx.vertx();
        try (TestStreams streams = new TestStreams(vertx, TestServers.freshRedis(), Map.of())) {
            RateLimiter off = new RateLimiter(TestConfig.of(RateConfig.class, Map.of()), streams.tokens);
            RateLimiter on = new RateLimiter(TestConfig.of(RateConfig.class, Map.of("millrace.rate.jobs", "1000000",
                    "millrace.rate.jobs-burst", "10000000", "millrace.rate.patience", "1s")), streams.tokens);
            for (int round = 0; round <= ROUNDS; round++) {
                System.out.printf("%s without a limit %,d ns of CPU, with one %,d ns; a round trip %,d µs%n",
                        round == 0 ? "(warm-up)" : "round " + round, cpuNanos(off), cpuNanos(on), tripMicros(streams));
            }
        }
        System.exit(0);
    }

    private static long cpuNanos(RateLimiter limiter) {
        long start = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
        for (int i = 0; i < REQUESTS; i++) {
            limiter.take(Limited.JOBS, "tenant", 1).await().atMost(LONG);
        }
        return (ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - start) / REQUESTS;
    }

    private static long tripMicros(TestStreams streams) {
        long start = System.nanoTime();
        for (int i = 0; i < TRIPS; i++) {
            streams.tokens.take(RedisKeys.rate("trip", "jobs"), 1_000_000, 1_000_000, 1, 1, LONG).await().atMost(LONG);
        }
        return (System.nanoTime() - start) / TRIPS / 1_000;
    }
}
