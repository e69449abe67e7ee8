package io.millrace.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.ProtocolVersion;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.RedisOptions;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;

/**
 * What Redis does with nothing around it: one connection of the same client, and commands sent in batches. The first scenario
 * fills a stream, the second, which comes after it, empties it.
 */
final class RedisFloor {

    private static final int ENTRIES = 50_000;
    private static final int APPENDS_PER_BATCH = 64;
    private static final int READ_COUNT = 500;
    private static final int LIMIT_SECONDS = 60;
    private static final String STREAM = "floor";
    private static final String GROUP = "floor";

    private RedisFloor() {}

    static Scenario append(Stack stack) {
        return new OnRedis(stack, "Redis: XADD, 64 at a time", RedisFloor::append);
    }

    static Scenario read(Stack stack) {
        return new OnRedis(stack, "Redis: XREADGROUP 500, XACK, XDEL", RedisFloor::read);
    }

    private interface Commands {
        /** @return how many entries */
        long run(RedisConnection connection) throws Exception;
    }

    private record OnRedis(Stack stack, String name, Commands commands) implements Scenario {
        @Override
        public Sample run() throws Exception {
            Vertx vertx = Vertx.vertx();
            RedisOptions options = new RedisOptions().setConnectionString(stack.redisUrl())
                    .setPreferredProtocolVersion(ProtocolVersion.RESP2);
            try {
                RedisConnection connection = await(Redis.createClient(vertx, options).connect());
                connection.send(Request.cmd(Command.XGROUP).arg("CREATE").arg(STREAM).arg(GROUP).arg("0").arg("MKSTREAM"));
                Sample sample = stack.measure(() -> commands.run(connection));
                if (sample.jobs() != ENTRIES) {
                    throw new IllegalStateException(name + " did " + sample.jobs() + " entries, not " + ENTRIES);
                }
                return sample;
            } finally {
                vertx.close();
            }
        }
    }

    private static long append(RedisConnection connection) throws Exception {
        long[] done = {0};
        repeat(() -> {
            List<Request> adds = new ArrayList<>(APPENDS_PER_BATCH);
            for (int i = 0; i < Math.min(APPENDS_PER_BATCH, ENTRIES - done[0]); i++) {
                adds.add(Request.cmd(Command.XADD).arg(STREAM).arg("*").arg("j").arg(UUID.randomUUID().toString()));
            }
            return connection.batch(adds).map(ids -> (done[0] += ids.size()) < ENTRIES);
        });
        return done[0];
    }

    /** Each batch acknowledges and deletes what the last one read, and reads the next. */
    private static long read(RedisConnection connection) throws Exception {
        long[] done = {0};
        List<String> toDelete = new ArrayList<>(READ_COUNT);
        repeat(() -> {
            List<Request> batch = new ArrayList<>(3);
            if (!toDelete.isEmpty()) {
                Request ack = Request.cmd(Command.XACK).arg(STREAM).arg(GROUP);
                Request delete = Request.cmd(Command.XDEL).arg(STREAM);
                toDelete.forEach(ack::arg);
                toDelete.forEach(delete::arg);
                batch.addAll(List.of(ack, delete));
            }
            batch.add(Request.cmd(Command.XREADGROUP).arg("GROUP").arg(GROUP).arg("bench").arg("COUNT").arg(READ_COUNT)
                    .arg("STREAMS").arg(STREAM).arg(">"));
            return connection.batch(batch).map(replies -> {
                done[0] += toDelete.size();
                toDelete.clear();
                Response read = replies.get(replies.size() - 1);
                if (read != null) {
                    read.get(0).get(1).forEach(entry -> toDelete.add(entry.get(0).toString()));
                }
                return !toDelete.isEmpty();
            });
        });
        return done[0];
    }

    /** Runs a step on the event loop for as long as it answers true. */
    private static void repeat(Supplier<Future<Boolean>> step) throws Exception {
        CompletableFuture<Void> end = new CompletableFuture<>();
        repeat(step, end);
        end.get(LIMIT_SECONDS, TimeUnit.SECONDS);
    }

    private static void repeat(Supplier<Future<Boolean>> step, CompletableFuture<Void> end) {
        step.get().onFailure(end::completeExceptionally).onSuccess(goesOn -> {
            if (goesOn) {
                repeat(step, end);
            } else {
                end.complete(null);
            }
        });
    }

    private static <T> T await(Future<T> future) throws Exception {
        return future.toCompletionStage().toCompletableFuture().get(LIMIT_SECONDS, TimeUnit.SECONDS);
    }
}
