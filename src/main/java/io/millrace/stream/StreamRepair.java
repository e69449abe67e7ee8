package io.millrace.stream;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

import jakarta.inject.Singleton;

import io.millrace.job.Priority;
import io.smallrye.mutiny.Uni;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;

/** What the chores ask of the streams: entries nobody finished, how far delivery has come, consumers that are gone. */
@Singleton
public class StreamRepair {
    private static final String BEGINNING = "0-0";

    private final SharedRedis redis;
    private final StreamConfig config;

    StreamRepair(SharedRedis redis, StreamConfig config) {
        this.redis = redis;
        this.config = config;
    }

    /**
     * A step of a sweep.
     *
     * @param entries now pending for the sweeping consumer
     * @param deletedCount entries that were pending but had been deleted from the stream by somebody; Redis forgets them
     * @param cursor where to go on; null at the end of the stream
     */
    public record Sweep(List<StreamEntry> entries, int deletedCount, String cursor) {}

    /** Takes over up to {@code most} entries that have been pending, unrenewed, for {@code minIdle}. */
    public Uni<Sweep> reclaimIdle(String queue, Priority priority, String consumer, Duration minIdle, String cursor, int most) {
        Request autoclaim = Request.cmd(Command.XAUTOCLAIM).arg(RedisKeys.stream(queue, priority)).arg(RedisKeys.GROUP)
                .arg(consumer)
                .arg(minIdle.toMillis()).arg(cursor == null ? BEGINNING : cursor).arg("COUNT").arg(most);
        return redis.send(autoclaim, config.commandTimeout()).map(reply -> {
            List<StreamEntry> entries = new ArrayList<>(reply.get(1).size());
            for (Response entry : reply.get(1)) {
                Response fields = entry.get(1);
                entries.add(new StreamEntry(queue, priority, entry.get(0).toString(),
                        fields.size() < 2 ? null : StreamEntry.jobId(fields.get(0).toString(), fields.get(1).toString())));
            }
            String next = reply.get(0).toString();
            int deleted = reply.size() > 2 ? reply.get(2).size() : 0;
            return new Sweep(entries, deleted, BEGINNING.equals(next) ? null : next);
        });
    }

    /**
     * How far a queue has been delivered.
     *
     * @param incarnation changes when Redis has forgotten the queue; null if it had, and a new one was set
     * @param oldestEpochMs for each priority, by code: no undelivered entry is older; now if there is none
     */
    public record Watermark(String incarnation, long[] oldestEpochMs) {
        public long oldestEpochMs(Priority priority) {
            return oldestEpochMs[priority.code()];
        }
    }

    public Uni<Watermark> watermark(String queue) {
        List<String> keys = new ArrayList<>(JobStream.streams(queue));
        keys.add(RedisKeys.incarnation(queue));
        return run(LuaScript.WATERMARK, keys, List.of(RedisKeys.GROUP, UUID.randomUUID().toString())).map(reply -> {
            String incarnation = reply.get(0).toString();
            return new Watermark(incarnation.isEmpty() ? null : incarnation,
                    new long[]{reply.get(1).toLong(), reply.get(2).toLong(), reply.get(3).toLong()});
        });
    }

    /** Deletes consumers that have been idle for so long and have nothing pending. @return how many */
    public Uni<Integer> trimConsumers(String queue, Priority priority, Duration minIdle) {
        return run(LuaScript.TRIM_CONSUMERS, List.of(RedisKeys.stream(queue, priority)),
                List.of(RedisKeys.GROUP, Long.toString(minIdle.toMillis()))).map(Response::toInteger);
    }

    /**
     * A step of a walk over what was delivered.
     *
     * @param cursor where to go on; null at the end
     */
    public record Walk(int deletedCount, String cursor) {}

    /** Deletes entries that were delivered and are pending for nobody, of up to {@code most} that it looks at. */
    public Uni<Walk> dropOrphans(String queue, Priority priority, String cursor, int most) {
        return run(LuaScript.DROP_ORPHANS, List.of(RedisKeys.stream(queue, priority)),
                List.of(RedisKeys.GROUP, cursor == null ? "-" : cursor, Integer.toString(most)))
                .map(reply -> new Walk(reply.get(0).toInteger(),
                        reply.get(1).toString().isEmpty() ? null : reply.get(1).toString()));
    }

    /**
     * What was delivered from the streams of a queue and is not finished.
     *
     * @param longestIdleMs since the most silent of those looked at was delivered or renewed; 0 if there is none
     */
    public record Pending(long count, long longestIdleMs) {
        Pending plus(Pending other) {
            return new Pending(count + other.count, Math.max(longestIdleMs, other.longestIdleMs));
        }
    }

    /** @param lookAt most entries of each stream, the oldest first, whose idle time is looked at */
    public Uni<Pending> countPending(String queue, int lookAt) {
        List<Uni<Pending>> counts = JobStream.streams(queue).stream().map(stream -> countPendingOf(stream, lookAt)).toList();
        return Uni.join().all(counts).andFailFast()
                .map(all -> all.stream().reduce(new Pending(0, 0), Pending::plus));
    }

    private Uni<Pending> countPendingOf(String stream, int lookAt) {
        Request count = Request.cmd(Command.XPENDING).arg(stream).arg(RedisKeys.GROUP);
        return redis.send(count, config.commandTimeout()).map(reply -> reply.get(0).toLong())
                .onFailure(failure -> String.valueOf(failure.getMessage()).startsWith("NOGROUP")).recoverWithItem(0L) // never read
                .chain(pending -> pending == 0
                        ? Uni.createFrom().item(new Pending(0, 0))
                        : longestIdleMs(stream, lookAt).map(idleMs -> new Pending(pending, idleMs)));
    }

    private Uni<Long> longestIdleMs(String stream, int lookAt) {
        Request oldest = Request.cmd(Command.XPENDING).arg(stream).arg(RedisKeys.GROUP).arg("-").arg("+").arg(lookAt);
        return redis.send(oldest, config.commandTimeout()).map(entries -> {
            long longestMs = 0;
            for (Response entry : entries) {
                longestMs = Math.max(longestMs, entry.get(2).toLong());
            }
            return longestMs;
        });
    }

    /** Drops those of the entries that are older than {@code minAge}; for entries whose job nobody knows. @return how many */
    public Uni<Integer> dropUnknown(StreamEntry entry, Duration minAge) {
        return run(LuaScript.DROP_UNKNOWN, List.of(RedisKeys.stream(entry.queue(), entry.priority())),
                List.of(RedisKeys.GROUP, Long.toString(minAge.toMillis()), entry.id())).map(Response::toInteger);
    }

    private Uni<Response> run(LuaScript script, List<String> keys, List<String> arguments) {
        return redis.run(script, keys, arguments, config.commandTimeout());
    }
}
