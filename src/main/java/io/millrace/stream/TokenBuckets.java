package io.millrace.stream;

import java.time.Duration;
import java.util.List;
import java.util.stream.LongStream;

import jakarta.inject.Singleton;

import io.smallrye.mutiny.Uni;
import io.vertx.redis.client.Response;

/** Buckets of tokens that all processes take from. One that Redis forgets is full. */
@Singleton
public class TokenBuckets {
    private final SharedRedis redis;

    TokenBuckets(SharedRedis redis) {
        this.redis = redis;
    }

    /**
     * What a bucket gave.
     *
     * @param taken 0 if there were too few
     * @param left in the bucket
     */
    public record Taken(long taken, long left) {}

    /**
     * @param key one of {@link RedisKeys}
     * @param perSecond tokens that come in
     * @param holds the most that the bucket has
     * @param need all or none of these are taken; of a full bucket more than it holds, which it owes
     * @param want taken beyond that, if they are there
     * @return fails if Redis does not answer in time
     */
    public Uni<Taken> take(String key, long perSecond, long holds, long need, long want, Duration patience) {
        List<String> arguments = LongStream.of(perSecond, holds, need, want).mapToObj(Long::toString).toList();
        return redis.run(LuaScript.TAKE_TOKENS, List.of(key), arguments, patience).map(TokenBuckets::taken);
    }

    private static Taken taken(Response reply) {
        return new Taken(reply.get(0).toLong(), reply.get(1).toLong());
    }
}
