package io.millrace.stream;

import java.time.Duration;

import io.quarkus.redis.datasource.ReactiveRedisDataSource;
import io.quarkus.redis.datasource.value.ReactiveValueCommands;
import io.smallrye.mutiny.Uni;
import jakarta.enterprise.context.ApplicationScoped;

/** Bytes that are cheaper to keep in Redis than to get again. Without Redis, everything is merely absent. */
@ApplicationScoped
public class ByteCache {

    /** Past this, waiting for the cache costs more than it saves. */
    private static final Duration PATIENCE = Duration.ofMillis(200);

    private final ReactiveValueCommands<String, byte[]> values;

    public ByteCache(ReactiveRedisDataSource redis) {
        values = redis.value(byte[].class);
    }

    /** @return null if the key is absent, Redis fails or does not answer in 200 ms */
    public Uni<byte[]> get(String key) {
        return values.get(key).ifNoItem().after(PATIENCE).fail().onFailure().recoverWithNull();
    }

    /** Tries to keep the bytes for so long; whether it worked is not told. */
    public Uni<Void> put(String key, byte[] value, Duration timeToLive) {
        return values.psetex(key, timeToLive.toMillis(), value).ifNoItem().after(PATIENCE).fail().onFailure().recoverWithNull();
    }
}
