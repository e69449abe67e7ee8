package io.millrace.stream;

import java.time.Duration;

import jakarta.inject.Singleton;

import io.smallrye.mutiny.Uni;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;

/** What Redis remembers of keys that PostgreSQL judges: a hint that saves a statement. Without Redis, nothing is remembered. */
@Singleton
public class KeyHints {
    /** Past this, waiting for the hint costs more than it saves. */
    private static final Duration PATIENCE = Duration.ofMillis(50);

    private final SharedRedis redis;

    KeyHints(SharedRedis redis) {
        this.redis = redis;
    }

    /** Remembers the key. @return true if it was remembered before; false also if Redis fails or does not answer in 50 ms */
    public Uni<Boolean> isRepeat(String key, String value, Duration timeToLive) {
        Request set = Request.cmd(Command.SET).arg(key).arg(value).arg("NX").arg("PX").arg(timeToLive.toMillis());
        return redis.send(set, PATIENCE).map(reply -> reply == null).onFailure().recoverWithItem(false);
    }

    /** @return false also if Redis fails or does not answer in 50 ms */
    public Uni<Boolean> isSet(String key) {
        return redis.send(Request.cmd(Command.EXISTS).arg(key), PATIENCE).map(reply -> reply.toInteger() == 1)
                .onFailure().recoverWithItem(false);
    }

    /** Tries to remember the key for so long; whether it worked is not told. */
    public Uni<Void> set(String key, String value, Duration timeToLive) {
        return redis.send(Request.cmd(Command.SET).arg(key).arg(value).arg("PX").arg(timeToLive.toMillis()), PATIENCE)
                .replaceWithVoid().onFailure().recoverWithNull();
    }
}
