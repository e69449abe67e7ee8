package io.millrace.rate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.stream.IntStream;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import io.millrace.rate.RateLimiter.Limited;
import io.millrace.stream.TestStreams;
import io.millrace.support.TcpProxy;
import io.millrace.support.TestConfig;
import io.millrace.support.TestServers;
import io.vertx.core.Vertx;

/** Two processes with one Redis, which goes away. */
@Timeout(60)
@DisplayNameGeneration(ReplaceUnderscores.class)
class RateOutageTest {

    static final int BURST = 20;
    /** Far more than the 50 ms that a request waits for Redis, on a machine that is busy. */
    static final Duration SOON = Duration.ofSeconds(2);

    static Vertx vertx;

    final String url = TestServers.freshRedis();
    final TcpProxy proxy = new TcpProxy(URI.create(url));
    final TestStreams one = new TestStreams(vertx, proxy.through(url), Map.of());
    final TestStreams other = new TestStreams(vertx, proxy.through(url), Map.of());
    final RateLimiter here = new RateLimiter(config("50ms"), one.tokens);
    final RateLimiter there = new RateLimiter(config("50ms"), other.tokens);

    @BeforeAll
    static void startVertx() {
        vertx = Vertx.vertx();
    }

    @AfterAll
    static void stopVertx() {
        vertx.close();
    }

    @AfterEach
    void close() {
        proxy.close();
        one.close();
        other.close();
    }

    static RateConfig config(String patience) {
        return TestConfig.of(RateConfig.class, Map.of("millrace.rate.jobs", "1", "millrace.rate.jobs-burst",
                String.valueOf(BURST), "millrace.rate.alone", "10ms", "millrace.rate.patience", patience));
    }

    static boolean isAllowed(RateLimiter process) {
        return process.take(Limited.JOBS, "tenant", 1).await().atMost(SOON).isAllowed();
    }

    static int allowed(RateLimiter process, int tries) {
        return (int) IntStream.range(0, tries).filter(i -> isAllowed(process)).count();
    }

    @Test
    void processes_share_one_limit() {
        // What Redis gave and could not say in time would be lost.
        RateLimiter here = new RateLimiter(config("1s"), one.tokens);
        RateLimiter there = new RateLimiter(config("1s"), other.tokens);
        int both = IntStream.range(0, 2 * BURST).map(i -> allowed(here, 1) + allowed(there, 1)).sum();
        // At one a second: what came in meanwhile, and what a process holds in hand.
        assertThat(both).isBetween(BURST, BURST + 3);
    }

    @Test
    void without_Redis_each_allows_what_the_limit_says_and_no_more() {
        proxy.cut();
        assertThat(allowed(here, 3 * BURST)).isBetween(BURST, BURST + 3);
        assertThat(allowed(there, 3 * BURST)).isBetween(BURST, BURST + 3);
    }

    @Test
    void a_Redis_that_hangs_holds_nobody_up_and_one_that_is_back_is_asked_again() {
        assertThat(isAllowed(here)).isTrue();
        proxy.hang();
        long start = System.nanoTime();
        allowed(here, BURST);
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(SOON);

        proxy.cut();
        proxy.resume();
        allowed(there, BURST); // empties what both share, once it reaches Redis again
        await().atMost(Duration.ofSeconds(20)).until(() -> allowed(there, 1) == 0 && allowed(here, 1) == 0);
    }

    @Test
    void a_tenant_may_have_limits_of_its_own_and_none_costs_no_question() {
        RateConfig own = TestConfig.of(RateConfig.class, Map.of("millrace.rate.tenants.big.jobs", "5",
                "millrace.rate.tenants.free.jobs", "0", "millrace.rate.jobs", "1"));
        RateLimiter limiter = new RateLimiter(own, one.tokens);

        assertThat(limiter.take(Limited.JOBS, "big", 1).await().atMost(SOON).limit()).isEqualTo(new Limit(5, 50));
        assertThat(limiter.take(Limited.JOBS, "small", 1).await().atMost(SOON).limit()).isEqualTo(new Limit(1, 10));
        proxy.cut();
        assertThat(limiter.take(Limited.JOBS, "free", 1).await().atMost(SOON)).isNull();
        assertThat(limiter.take(Limited.REQUESTS, "small", 1).await().atMost(SOON)).isNull();
    }
}
