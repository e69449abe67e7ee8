package io.millrace.rate;

import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

import jakarta.inject.Singleton;

import io.millrace.stream.RedisKeys;
import io.millrace.stream.TokenBuckets;
import io.smallrye.mutiny.Uni;

/**
 * Keeps each tenant to a rate, over all processes. It bounds what one tenant can do to the others, and never stands in the way
 * of all: while Redis is away, each process keeps to the limits by itself, and n processes allow n times as much.
 */
@Singleton
public class RateLimiter {
    /** Beyond, all are forgotten, with what was taken for them in advance. */
    private static final int MOST_BUCKETS = 20_000;

    /** What is limited, each by itself. */
    public enum Limited {
        JOBS, REQUESTS;

        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private record Key(Limited limited, String tenant) {}

    private final RateConfig config;
    private final TokenBuckets redis;
    private final Map<Key, Bucket> buckets = new ConcurrentHashMap<>();
    private final Map<Limited, Limit> ofAll;
    private final boolean isOff;

    RateLimiter(RateConfig config, TokenBuckets redis) {
        this.config = config;
        this.redis = redis;
        this.ofAll = Map.of(Limited.JOBS, Limit.of(config.jobs(), config.jobsBurst()), Limited.REQUESTS,
                Limit.of(config.requests(), config.requestsBurst()));
        this.isOff = Stream.concat(Stream.of(""), config.tenants().keySet().stream())
                .allMatch(tenant -> limit(Limited.JOBS, tenant).isNone() && limit(Limited.REQUESTS, tenant).isNone());
    }

    /**
     * Takes what a request needs, if it is there.
     *
     * @return null if there is no limit; else within {@link RateConfig#patience}, whatever becomes of Redis
     */
    public Uni<Verdict> take(Limited limited, String tenant, long amount) {
        if (isOff || amount == 0) {
            return Uni.createFrom().nullItem();
        }
        Bucket known = buckets.get(new Key(limited, tenant));
        if (known != null) {
            return known.take(amount);
        }
        Limit limit = limit(limited, tenant);
        return limit.isNone() ? Uni.createFrom().nullItem() : bucket(new Key(limited, tenant), limit).take(amount);
    }

    private Bucket bucket(Key key, Limit limit) {
        if (buckets.size() >= MOST_BUCKETS) {
            buckets.clear();
        }
        String name = RedisKeys.rate(key.tenant(), key.limited().label());
        return buckets.computeIfAbsent(key, missing -> new Bucket(limit,
                (need, want) -> redis.take(name, limit.perSecond(), limit.burst(), need, want, config.patience()),
                config.alone(), System::nanoTime));
    }

    private Limit limit(Limited limited, String tenant) {
        RateConfig.OfTenant own = config.tenants().get(tenant);
        if (own == null) {
            return ofAll.get(limited);
        }
        OptionalInt perSecond = limited == Limited.JOBS ? own.jobs() : own.requests();
        OptionalInt burst = limited == Limited.JOBS ? own.jobsBurst() : own.requestsBurst();
        Limit common = ofAll.get(limited);
        // A burst for all belongs to the rate of all; a tenant with another rate has its own, or ten times the rate.
        return perSecond.isPresent()
                ? Limit.of(perSecond.getAsInt(), burst)
                : burst.isPresent() ? new Limit(common.perSecond(), burst.getAsInt()) : common;
    }
}
