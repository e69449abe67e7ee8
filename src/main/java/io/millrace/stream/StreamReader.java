package io.millrace.stream;

import java.util.ArrayList;
import java.util.List;

import io.millrace.job.Priority;
import io.smallrye.mutiny.Uni;
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
 * Reads the streams of one queue for one consumer, over a connection of its own: a blocking read holds its connection, and one
 * that timed out is closed, never used again, because its reply may still come. One call at a time.
 */
public final class StreamReader {
    /** A blocking read that takes this much longer than it asked for is on a dead connection. */
    private static final long GRACE_MS = 2_000;

    private final Vertx vertx;
    private final String redisUrl;
    private final StreamConfig config;
    private final String queue;
    private final String consumer;

    private volatile Long clientId;
    private Redis client;
    private Future<RedisConnection> connection;

    public StreamReader(Vertx vertx, RedisConfig redis, StreamConfig config, String queue, String consumer) {
        this.vertx = vertx;
        this.redisUrl = redis.url();
        this.config = config;
        this.queue = queue;
        this.consumer = consumer;
    }

    /** Reads up to {@code most} entries that are there now, higher priorities first. */
    public Uni<List<StreamEntry>> readNew(int most) {
        List<String> arguments = List.of(RedisKeys.GROUP, consumer, Integer.toString(most));
        return JobStream.bounded(
                () -> connected().compose(open -> LuaScript.READ_ENTRIES.run(open::send, JobStream.streams(queue), arguments)),
                config.commandTimeout()).map(this::entries);
    }

    /**
     * Waits up to {@link StreamConfig#readBlock} for the next entry.
     *
     * @return one entry, or none; more only if several priorities became ready in the same instant, at most one each
     */
    public Uni<List<StreamEntry>> awaitNew() {
        Request read = Request.cmd(Command.XREADGROUP).arg("GROUP").arg(RedisKeys.GROUP).arg(consumer)
                .arg("COUNT").arg(1).arg("BLOCK").arg(config.readBlock().toMillis()).arg("STREAMS");
        JobStream.streams(queue).forEach(read::arg);
        JobStream.streams(queue).forEach(stream -> read.arg(">"));
        return JobStream.bounded(() -> connected().compose(open -> open.send(read)), config.readBlock().plusMillis(GRACE_MS))
                .map(this::streams);
    }

    /** Ends a blocking read that is under way, so that nobody waits for it at a stop. Best effort: it ends by itself, too. */
    public Uni<Void> interrupt(JobStream stream) {
        Long id = clientId;
        return id == null ? Uni.createFrom().voidItem() : stream.unblock(id);
    }

    /** Closes the connection; the next read opens another and makes sure of the group. */
    public void disconnect() {
        if (client != null) {
            client.close();
        }
        client = null;
        connection = null;
        clientId = null;
    }

    private Future<RedisConnection> connected() {
        if (connection == null) {
            client = Redis.createClient(vertx, new RedisOptions().setConnectionString(redisUrl).setMaxPoolSize(1)
                    .setMaxPoolWaiting(1).setPreferredProtocolVersion(ProtocolVersion.RESP2).setPoolName("millrace-reader"));
            connection = client.connect().compose(this::withGroups).compose(this::withId);
        }
        return connection;
    }

    private Future<RedisConnection> withId(RedisConnection open) {
        return open.send(Request.cmd(Command.CLIENT).arg("ID")).map(id -> {
            clientId = id.toLong();
            return open;
        });
    }

    /** At 0, so that nothing that was appended before the group existed is passed over. */
    private Future<RedisConnection> withGroups(RedisConnection open) {
        List<Future<Response>> created = new ArrayList<>();
        for (String stream : JobStream.streams(queue)) {
            created.add(open
                    .send(Request.cmd(Command.XGROUP).arg("CREATE").arg(stream).arg(RedisKeys.GROUP).arg("0").arg("MKSTREAM"))
                    .recover(failure -> String.valueOf(failure.getMessage()).startsWith("BUSYGROUP")
                            ? Future.succeededFuture()
                            : Future.failedFuture(failure)));
        }
        return Future.all(created).map(open);
    }

    /** The reply of the script: a list of { priority, entry id, field, value ... }. */
    private List<StreamEntry> entries(Response reply) {
        List<StreamEntry> entries = new ArrayList<>(reply.size());
        for (Response flat : reply) {
            entries.add(new StreamEntry(queue, Priority.ofCode(flat.get(0).toInteger()), flat.get(1).toString(),
                    flat.size() < 4 ? null : StreamEntry.jobId(flat.get(2).toString(), flat.get(3).toString())));
        }
        return entries;
    }

    /** The reply of XREADGROUP: nil, or a list of { stream, list of { entry id, { field, value ... } } }. */
    private List<StreamEntry> streams(Response reply) {
        List<StreamEntry> entries = new ArrayList<>();
        if (reply == null) {
            return entries;
        }
        for (Response stream : reply) {
            Priority priority = priority(stream.get(0).toString());
            for (Response entry : stream.get(1)) {
                Response fields = entry.get(1);
                entries.add(new StreamEntry(queue, priority, entry.get(0).toString(),
                        fields.size() < 2 ? null : StreamEntry.jobId(fields.get(0).toString(), fields.get(1).toString())));
            }
        }
        return entries;
    }

    private Priority priority(String stream) {
        return Priority.ofCode(JobStream.streams(queue).indexOf(stream));
    }
}
