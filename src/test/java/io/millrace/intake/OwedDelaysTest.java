package io.millrace.intake;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import io.millrace.job.Priority;
import io.millrace.stream.JobStream;
import io.millrace.stream.TestStreams;
import io.millrace.support.PlainRedis;
import io.millrace.support.Streams;
import io.millrace.support.TcpProxy;
import io.millrace.support.TestServers;
import io.vertx.core.Vertx;

@Timeout(60)
@DisplayNameGeneration(ReplaceUnderscores.class)
class OwedDelaysTest {
    private static final int MOST = 1_200;
    private static final long IN_AN_HOUR = System.currentTimeMillis() + 3_600_000;

    private final Vertx vertx = Vertx.vertx();
    private final String redisUrl = TestServers.freshRedis();
    private final Streams streams = new Streams(redisUrl);
    private TcpProxy proxy;
    private TestStreams redis;
    private OwedDelays owed;

    @BeforeEach
    void lose_the_way_to_redis() {
        proxy = new TcpProxy(URI.create(redisUrl));
        redis = new TestStreams(vertx, proxy.through(redisUrl), Map.of("millrace.stream.append-pause", "20ms",
                "millrace.stream.owed-delays", Integer.toString(MOST)));
        owed = new OwedDelays(vertx, redis.jobs, redis.config);
        proxy.cut();
    }

    @AfterEach
    void close() {
        redis.close();
        proxy.close();
        vertx.close();
    }

    private static List<JobStream.Waiting> jobs(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> new JobStream.Waiting(UUID.randomUUID(), Priority.NORMAL, IN_AN_HOUR)).toList();
    }

    private static ConditionFactory await() {
        return Awaitility.await().atMost(Duration.ofSeconds(30)).pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(10));
    }

    @Test
    void what_redis_did_not_take_is_there_when_it_is_back() {
        owed.add("q", jobs(1_100));
        owed.add("other", jobs(3));
        assertThat(streams.delayed("q")).isZero();

        proxy.resume();

        await().until(() -> streams.delayed("q") == 1_100 && streams.delayed("other") == 3);
        await().until(() -> owed.count() == 0);
    }

    @Test
    void no_more_is_remembered_than_is_set() {
        owed.add("q", jobs(MOST - 1));
        owed.add("other", jobs(5));
        assertThat(owed.count()).isEqualTo(MOST);

        proxy.resume();

        await().until(() -> owed.count() == 0);
        assertThat(streams.delayed("other")).as("of those for which there was room").isOne();
        owed.add("other", jobs(2));
        await().until(() -> streams.delayed("other") == 3);
    }

    @Test
    void a_queue_that_takes_nothing_does_not_hold_up_the_others() {
        PlainRedis.ask(redisUrl, "SET {bad}:delayed nonsense");
        owed.add("bad", jobs(2));
        Stream.of("a", "b", "c").forEach(queue -> owed.add(queue, jobs(1)));

        proxy.resume();

        await().until(() -> Stream.of("a", "b", "c").allMatch(queue -> streams.delayed(queue) == 1));
        await().until(() -> owed.count() == 2);
        PlainRedis.ask(redisUrl, "DEL {bad}:delayed");
        await().until(() -> streams.delayed("bad") == 2);
    }
}
