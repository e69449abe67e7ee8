package io.millrace.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import io.millrace.stream.TokenBuckets.Taken;
import io.millrace.support.PlainRedis;

@Timeout(60)
@DisplayNameGeneration(ReplaceUnderscores.class)
class TokenBucketsTest extends RedisTest {

    /** So little comes in that a test does not see it. */
    static final int SLOW = 1;

    final String key = RedisKeys.rate(UUID.randomUUID().toString(), "jobs");

    Taken take(long perSecond, long holds, long need, long want) {
        return streams.tokens.take(key, perSecond, holds, need, want, PATIENCE).await().atMost(PATIENCE);
    }

    @Test
    void a_bucket_that_nobody_knows_is_full() {
        assertThat(take(SLOW, 1_000, 1, 10)).isEqualTo(new Taken(10, 990));
        assertThat(take(SLOW, 1_000, 990, 990)).isEqualTo(new Taken(990, 0));
        assertThat(take(SLOW, 1_000, 10, 10)).isEqualTo(new Taken(0, 0));
    }

    @Test
    void all_or_none_of_what_is_needed_and_what_there_is_of_what_is_wanted() {
        assertThat(take(SLOW, 100, 60, 60)).isEqualTo(new Taken(60, 40));
        assertThat(take(SLOW, 100, 50, 50)).isEqualTo(new Taken(0, 40));
        assertThat(take(SLOW, 100, 1, 500)).isEqualTo(new Taken(40, 0));
    }

    @Test
    void more_than_it_holds_is_taken_from_a_full_bucket_only_and_owed() {
        assertThat(take(1_000, 100, 300, 300)).isEqualTo(new Taken(300, 0));
        long start = System.nanoTime();
        await().pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(5)).until(() -> take(1_000, 100, 1, 1).taken() == 1);
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isBetween(Duration.ofMillis(150), Duration.ofSeconds(2));
        assertThat(take(1_000, 100, 300, 300)).extracting(Taken::taken).isEqualTo(0L);
    }

    @Test
    void it_fills_at_its_rate_whoever_takes() {
        AtomicLong taken = new AtomicLong();
        long start = System.nanoTime();
        await().pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(1))
                .until(() -> taken.addAndGet(take(500, 50, 1, 20).taken()) >= 400);
        double seconds = (System.nanoTime() - start) / 1e9;
        // 50 were there; the rest came in. The answer to the last question may have come late, never early.
        assertThat(taken.get()).isLessThanOrEqualTo((long) (50 + 500 * seconds) + 1);
        assertThat(seconds).isLessThan(5);
    }

    @Test
    void a_full_bucket_leaves_nothing_in_Redis() {
        take(1_000, 100, 10, 10);
        assertThat(PlainRedis.ask(url, "PTTL " + key)).first().asString().matches(":\\d{1,2}");
        await().pollInterval(Duration.ofMillis(5)).until(() -> PlainRedis.ask(url, "EXISTS " + key).get(0).equals(":0"));
        assertThat(take(1_000, 100, 100, 100)).isEqualTo(new Taken(100, 0));
    }

    @Test
    void the_key_does_not_tell_the_name_of_the_tenant() {
        assertThat(RedisKeys.rate("ann}:{b", "jobs")).matches("rate:jobs:[0-9a-f]{64}");
    }
}
