package io.millrace.stream;

import java.time.Duration;

import jakarta.inject.Singleton;

import io.smallrye.mutiny.Uni;
import io.vertx.core.buffer.Buffer;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;

/** Bytes that are cheaper to keep in Redis than to get again. Without Redis, everything is merely absent. */
@Singleton
public class ByteCache {

    /** Past this, waiting for the cache costs more than it saves. */
    private static final Duration PATIENCE = Duration.ofMillis(200);

    private final SharedRedis redis;

    ByteCache(SharedRedis redis) {
        this.redis = redis;
    }

    /** @return null if the key is absent, Redis fails or does not answer in 200 ms */
    public Uni<byte[]> get(String key) {
        return redis.send(Request.cmd(Command.GET).arg(key), PATIENCE)
                .onItem().ifNotNull().transform(Response::toBytes).onFailure().recoverWithNull();
    }

    /** Tries to keep the bytes for so long; whether it worked is not told. */
    public Uni<Void> put(String key, byte[] value, Duration timeToLive) {
        return redis.send(Request.cmd(Command.PSETEX).arg(key).arg(timeToLive.toMillis()).arg(Buffer.buffer(value)), PATIENCE)
                .replaceWithVoid().onFailure().recoverWithNull();
    }
}
