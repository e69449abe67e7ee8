package io.millrace.stream;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import io.millrace.job.Priority;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;

/**
 * Reads the streams of one queue for one consumer, over a connection of its own: a blocking read holds its connection, and one
 * that timed out is closed, never used again, because its reply may still come. One call at a time.
 */
public class StreamReader {
    /** A blocking read that takes this much longer than it asked for is on a dead connection. */
    private static final long GRACE_MS = 2_000;
    /** Entries of each higher priority that a plain read takes along. */
    private static final int FROM_HIGHER = 8;
    /** Below so many the script reads: for a worker of few slots, one entry in the wrong order is many. */
    private static final int SMALLEST_FLOW = 64;

    private final Vertx vertx;
    private final RedisConfig redis;
    private final StreamConfig config;
    private final String queue;
    private final String consumer;

    private volatile Long clientId;
    /** The stream that gave as much as it was asked for in the last read; null if none did, or several gave. */
    private volatile Priority flowing;
    private boolean isClosed; // guarded by this, as are the next
    private Redis client;
    private Future<RedisConnection> connection;

    public StreamReader(Vertx vertx, RedisConfig redis, StreamConfig config, String queue, String consumer) {
        this.vertx = vertx;
        this.redis = redis;
        this.config = config;
        this.queue = queue;
        this.consumer = consumer;
    }

    /**
     * Reads up to {@code most} entries that are there now, higher priorities first. A script sees to that; but while one stream
     * gives all that it is asked for, plain commands do, which cost Redis a third less: a few entries of each stream before it,
     * then the rest from it. Those few are what a flood of a higher priority has to wait for, once.
     */
    public Uni<List<StreamEntry>> readNew(int most) {
        if (flowing == null || most < SMALLEST_FLOW) {
            return readByScript(most);
        }
        Priority source = flowing;
        flowing = null; // should it fail
        return readPlainly(source, most).chain(entries -> entries.isEmpty()
                ? readByScript(most)
                : Uni.createFrom().item(entries));
    }

    private Uni<List<StreamEntry>> readByScript(int most) {
        List<String> arguments = List.of(RedisKeys.GROUP, consumer, Integer.toString(most));
        return SharedRedis.bounded(
                () -> connected().compose(open -> LuaScript.READ_ENTRIES.run(open::send, JobStream.streams(queue), arguments)),
                config.commandTimeout()).map(this::entries).invoke(entries -> flowing = theOnlySourceOf(entries, most));
    }

    private Uni<List<StreamEntry>> readPlainly(Priority source, int most) {
        int rest = most - FROM_HIGHER * source.code();
        List<Request> reads = new ArrayList<>(source.code() + 1);
        for (String stream : JobStream.streams(queue).subList(0, source.code())) {
            reads.add(read(FROM_HIGHER).arg("STREAMS").arg(stream).arg(">"));
        }
        reads.add(read(rest).arg("STREAMS").arg(RedisKeys.stream(queue, source)).arg(">"));
        return SharedRedis.bounded(() -> connected().compose(open -> open.batch(reads)), config.commandTimeout())
                .map(replies -> {
                    List<StreamEntry> entries = new ArrayList<>(most);
                    boolean isFloodBefore = false;
                    for (Response reply : replies.subList(0, source.code())) {
                        isFloodBefore |= addStreams(reply, entries) == FROM_HIGHER;
                    }
                    boolean isSourceDry = addStreams(replies.get(source.code()), entries) < rest;
                    flowing = isFloodBefore || isSourceDry ? null : source;
                    return entries;
                });
    }

    /** @return null if there were fewer entries than asked for, or several priorities among them */
    private static Priority theOnlySourceOf(List<StreamEntry> entries, int most) {
        if (entries.size() < most) {
            return null;
        }
        Priority last = entries.get(most - 1).priority(); // they are in order
        return entries.get(0).priority() == last ? last : null;
    }

    private Request read(int most) {
        return Request.cmd(Command.XREADGROUP).arg("GROUP").arg(RedisKeys.GROUP).arg(consumer).arg("COUNT").arg(most);
    }

    /**
     * Waits up to {@link StreamConfig#readBlock} for the next entry.
     *
     * @return one entry, or none; more only if several priorities became ready in the same instant, at most one each
     */
    public Uni<List<StreamEntry>> awaitNew() {
        Request read = read(1).arg("BLOCK").arg(config.readBlock().toMillis()).arg("STREAMS");
        JobStream.streams(queue).forEach(read::arg);
        JobStream.streams(queue).forEach(stream -> read.arg(">"));
        return SharedRedis.bounded(() -> connected().compose(open -> open.send(read)), config.readBlock().plusMillis(GRACE_MS))
                .map(this::streams);
    }

    /**
     * A page of what this consumer has read and nobody has acknowledged.
     *
     * @param entries those that still stand on the stream
     * @param deletedCount those that somebody has deleted from it; who knows what they stood for
     * @param last where the next page begins; null if this is the last one
     */
    public record Page(List<StreamEntry> entries, int deletedCount, String last) {}

    /**
     * Reads again up to {@code most} entries of one stream that this consumer has read already: the reply may have been lost on
     * the way, and nobody is ever shown them as new again.
     *
     * @param after the last entry of the page before; null at the beginning
     */
    public Uni<Page> readPending(Priority priority, String after, int most) {
        Request read = read(most).arg("STREAMS").arg(RedisKeys.stream(queue, priority)).arg(after == null ? "0" : after);
        return SharedRedis.bounded(() -> connected().compose(open -> open.send(read)), config.commandTimeout())
                .map(reply -> page(priority, reply.get(0).get(1)));
    }

    /** Ends a blocking read that is under way, so that nobody waits for it at a stop. Best effort: it ends by itself, too. */
    public Uni<Void> interrupt(JobStream stream) {
        Long id = clientId;
        return id == null ? Uni.createFrom().voidItem() : stream.unblock(id);
    }

    /** The longest that any read takes to answer or to fail. */
    public static Duration longestRead(StreamConfig config) {
        Duration blocking = config.readBlock().plusMillis(GRACE_MS);
        return blocking.compareTo(config.commandTimeout()) > 0 ? blocking : config.commandTimeout();
    }

    /** Closes the connection; the next read opens another and makes sure of the group. */
    public synchronized void disconnect() {
        if (client != null) {
            client.close();
        }
        client = null;
        connection = null;
        clientId = null;
    }

    /** Closes the connection; a read that somebody still tries fails. From any thread. */
    public synchronized void close() {
        isClosed = true;
        disconnect();
    }

    private synchronized Future<RedisConnection> connected() {
        if (isClosed) {
            return Future.failedFuture("this reader is closed");
        }
        if (connection == null) {
            client = Redis.createClient(vertx, SharedRedis.options(redis, config).setMaxPoolSize(1).setMaxPoolWaiting(1)
                    .setPoolName("millrace-reader"));
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
                    .recover(failure -> recoverGroup(stream, failure)));
        }
        return Future.all(created).map(open);
    }

    private static Future<Response> recoverGroup(String stream, Throwable failure) {
        String message = String.valueOf(failure.getMessage());
        if (message.startsWith("BUSYGROUP")) {
            return Future.succeededFuture();
        }
        return Future.failedFuture(message.startsWith("WRONGTYPE") ? new NotAStreamException(stream) : failure);
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
        addStreams(reply, entries);
        return entries;
    }

    /** @return how many there were */
    private int addStreams(Response reply, List<StreamEntry> entries) {
        if (reply == null) {
            return 0;
        }
        int before = entries.size();
        for (Response stream : reply) {
            Priority priority = priority(stream.get(0).toString());
            for (Response entry : stream.get(1)) {
                entries.add(entry(priority, entry.get(0).toString(), entry.get(1)));
            }
        }
        return entries.size() - before;
    }

    /** A list of { entry id, { field, value ... } }; the fields of an entry that was deleted are nil. */
    private Page page(Priority priority, Response pending) {
        List<StreamEntry> entries = new ArrayList<>(pending.size());
        for (Response entry : pending) {
            Response fields = entry.get(1);
            if (fields != null) {
                entries.add(entry(priority, entry.get(0).toString(), fields));
            }
        }
        return new Page(entries, pending.size() - entries.size(),
                pending.size() == 0 ? null : pending.get(pending.size() - 1).get(0).toString());
    }

    private StreamEntry entry(Priority priority, String id, Response fields) {
        return new StreamEntry(queue, priority, id,
                fields.size() < 2 ? null : StreamEntry.jobId(fields.get(0).toString(), fields.get(1).toString()));
    }

    private Priority priority(String stream) {
        return Priority.ofCode(JobStream.streams(queue).indexOf(stream));
    }
}
