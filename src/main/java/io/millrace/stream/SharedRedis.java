package io.millrace.stream;

import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;

import jakarta.annotation.PreDestroy;
import jakarta.inject.Singleton;

import org.jboss.logging.Logger;

import io.millrace.pool.PoolUse;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.redis.client.ProtocolVersion;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisOptions;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;

/**
 * The connections that all commands share; only blocking reads have their own. A connection can stay open though nothing good
 * comes of it: after a failover it leads to a node that takes no writes, after a network fault to nowhere. When an answer says
 * so, or none comes in time, later commands get new connections, and the old ones are closed.
 *
 * <p>
 * Any other refusal (LOADING, BUSY, TRYAGAIN, out of memory) passes by itself on the connection that it came on: the caller
 * fails, and whoever repeats the command for it repeats it.
 */
@Singleton
public class SharedRedis {
    private static final Logger LOG = Logger.getLogger(SharedRedis.class);
    private static final int CONNECTIONS = 8;
    private static final int WAITING_FOR_A_CONNECTION = 10_000;
    private static final int WAITING_ON_A_CONNECTION = 100_000;
    /** The pool does not ask whether a connection that stands idle is still there: one that is used is never so old. */
    private static final int IDLE_SECONDS = 10;

    private final Vertx vertx;
    private final RedisOptions options;
    private final Duration commandTimeout;
    private final long longestCommandMs;
    private final PoolUse use = new PoolUse("commands", CONNECTIONS);
    private volatile Redis client;
    private long openedNanos; // guarded by this

    SharedRedis(Vertx vertx, RedisConfig redis, StreamConfig config) {
        this.vertx = vertx;
        this.commandTimeout = config.commandTimeout();
        this.longestCommandMs = Math.max(config.commandTimeout().toMillis(), config.appendTimeout().toMillis());
        this.options = options(redis, config).setPoolName("millrace-commands").setMaxPoolSize(CONNECTIONS)
                .setMaxPoolWaiting(WAITING_FOR_A_CONNECTION).setMaxWaitingHandlers(WAITING_ON_A_CONNECTION);
        options.getNetClientOptions().setReadIdleTimeout(IDLE_SECONDS);
        this.client = Redis.createClient(vertx, options);
        this.openedNanos = System.nanoTime() - commandTimeout.toNanos(); // old enough to be replaced
    }

    /** What every connection to Redis has in common. */
    static RedisOptions options(RedisConfig redis, StreamConfig config) {
        RedisOptions options = new RedisOptions().setConnectionString(redis.url())
                .setPreferredProtocolVersion(ProtocolVersion.RESP2);
        // By default a minute: so long after an outage, attempts that went into the dark would take the places of the pool.
        options.getNetClientOptions().setConnectTimeout((int) config.commandTimeout().toMillis());
        return options;
    }

    /** @return fails with {@link RedisTimeoutException} if there is no answer in time */
    Uni<Response> send(Request request, Duration timeout) {
        return onClient(used -> used.send(request), timeout);
    }

    /** Several commands, one after the other on one connection, in one go. @return fails with the first failure of any of them */
    Uni<List<Response>> batch(List<Request> requests, Duration timeout) {
        return onClient(used -> used.batch(requests), timeout);
    }

    /** @return fails with {@link RedisTimeoutException} if there is no answer in time */
    Uni<Response> run(LuaScript script, List<String> keys, List<String> arguments, Duration timeout) {
        return onClient(used -> script.run(used::send, keys, arguments), timeout);
    }

    /** @return what goes on on the shared connections */
    public PoolUse use() {
        return use;
    }

    static <R> Uni<R> bounded(Supplier<Future<R>> command, Duration timeout) {
        return Uni.createFrom().<R>emitter(emitter -> command.get().onComplete(emitter::complete, emitter::fail))
                .ifNoItem().after(timeout).failWith(() -> new RedisTimeoutException(timeout));
    }

    @PreDestroy
    void close() {
        client.close();
    }

    private <R> Uni<R> onClient(Function<Redis, Future<R>> command, Duration timeout) {
        return Uni.createFrom().deferred(() -> {
            Redis used = client;
            return use.watch(bounded(() -> command.apply(used), timeout))
                    .onFailure(failure -> isOfTheConnection(failure, timeout))
                    .invoke(failure -> replace(used, failure));
        });
    }

    /** An impatient caller's timeout says little: Redis may only be busy. */
    private boolean isOfTheConnection(Throwable failure, Duration timeout) {
        String message = String.valueOf(failure.getMessage());
        return message.startsWith("READONLY") || message.startsWith("MASTERDOWN")
                || failure instanceof RedisTimeoutException && timeout.compareTo(commandTimeout) >= 0;
    }

    /** Of many commands that fail together one does it; and not again before the new connections had a chance to prove better. */
    private synchronized void replace(Redis failed, Throwable failure) {
        if (client != failed || System.nanoTime() - openedNanos < commandTimeout.toNanos()) {
            return;
        }
        LOG.warnf("opening new connections to Redis: %s", failure.getMessage());
        client = Redis.createClient(vertx, options);
        openedNanos = System.nanoTime();
        vertx.setTimer(longestCommandMs, ended -> failed.close()); // nobody waits any more for what was sent on it
    }
}
