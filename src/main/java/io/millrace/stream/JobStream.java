package io.millrace.stream;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

import jakarta.inject.Singleton;

import io.millrace.job.Priority;
import io.smallrye.mutiny.Uni;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;

/**
 * Hands job ids out: the streams, the delayed set and the dead letter hint of each queue. Everything here may vanish or stand
 * twice without harm; PostgreSQL decides.
 */
@Singleton
public class JobStream {
    private final SharedRedis redis;
    private final StreamConfig config;
    private final DispatchWindow window;
    private final DueTimes dueTimes;

    JobStream(SharedRedis redis, StreamConfig config, DispatchWindow window, DueTimes dueTimes) {
        this.redis = redis;
        this.config = config;
        this.window = window;
        this.dueTimes = dueTimes;
    }

    /** A job id to hand out. */
    public record Ready(UUID jobId, Priority priority) {}

    /** Puts ids on the streams of a queue. Ids of a call that fails may be there all the same. */
    public Uni<Void> append(String queue, List<Ready> jobs, Duration timeout) {
        List<String> arguments = new ArrayList<>(jobs.size() * 2);
        for (Ready job : jobs) {
            arguments.add(Integer.toString(job.priority().code()));
            arguments.add(job.jobId().toString());
        }
        return redis.run(LuaScript.APPEND_JOBS, streams(queue), arguments, timeout)
                .invoke(lengths -> window.observe(queue, lengths(lengths)))
                .replaceWithVoid();
    }

    /** Learns how many ids stand on the streams of a queue, for the {@link DispatchWindow}. */
    public Uni<Void> measure(String queue) {
        return append(queue, List.of(), config.commandTimeout());
    }

    /** A job that waits for its time; {@code dueEpochMs} 0 for one too far away for the delayed set. */
    public record Waiting(UUID jobId, Priority priority, long dueEpochMs) {
        String member() {
            return priority.code() + ":" + jobId;
        }
    }

    /** Puts jobs into the delayed set of a queue. Doing it twice is the same as once. */
    public Uni<Void> delay(String queue, List<Waiting> jobs, Duration timeout) {
        List<String> arguments = new ArrayList<>(jobs.size() * 2);
        for (Waiting job : jobs) {
            arguments.add(Long.toString(job.dueEpochMs()));
            arguments.add(job.member());
        }
        return redis.run(LuaScript.DELAY_JOBS, List.of(RedisKeys.delayed(queue)), arguments, timeout)
                .invoke(next -> dueTimes.announce(queue, untilNext(next)))
                .onFailure().invoke(failure -> dueTimes.lose(queue))
                .replaceWithVoid();
    }

    /**
     * Acknowledges and deletes entries of one stream whose jobs have ended. Two commands and no script: where only the first
     * arrives, the {@code EntryJanitor} deletes what nobody has pending.
     */
    public Uni<Void> settleDone(String queue, Priority priority, List<String> entryIds) {
        String stream = RedisKeys.stream(queue, priority);
        Request acknowledge = Request.cmd(Command.XACK).arg(stream).arg(RedisKeys.GROUP);
        Request delete = Request.cmd(Command.XDEL).arg(stream);
        for (String entryId : entryIds) {
            acknowledge.arg(entryId);
            delete.arg(entryId);
        }
        return redis.batch(List.of(acknowledge, delete), config.commandTimeout()).replaceWithVoid();
    }

    /** An entry to acknowledge, and the job that waits again. */
    public record Retried(String entryId, Waiting job) {}

    /** Acknowledges and deletes entries of one stream, and puts their jobs into the delayed set. */
    public Uni<Void> settleRetry(String queue, Priority priority, List<Retried> entries) {
        List<String> arguments = new ArrayList<>(entries.size() * 3 + 1);
        arguments.add(RedisKeys.GROUP);
        for (Retried entry : entries) {
            arguments.add(entry.entryId());
            arguments.add(entry.job().member());
            arguments.add(Long.toString(entry.job().dueEpochMs()));
        }
        return redis
                .run(LuaScript.SETTLE_RETRY, List.of(RedisKeys.stream(queue, priority), RedisKeys.delayed(queue)), arguments,
                        config.commandTimeout())
                .invoke(next -> dueTimes.announce(queue, untilNext(next)))
                .onFailure().invoke(failure -> dueTimes.lose(queue))
                .replaceWithVoid();
    }

    /** An entry to acknowledge, and the job that was given up. */
    public record Failed(String entryId, UUID jobId, String reason) {}

    /** Acknowledges and deletes entries of one stream, and notes their jobs as dead letters. */
    public Uni<Void> settleFailed(String queue, Priority priority, List<Failed> entries) {
        List<String> arguments = new ArrayList<>(entries.size() * 3 + 2);
        arguments.add(RedisKeys.GROUP);
        arguments.add(Integer.toString(config.deadLetters()));
        for (Failed entry : entries) {
            arguments.add(entry.entryId());
            arguments.add(entry.jobId().toString());
            arguments.add(entry.reason());
        }
        return redis.run(LuaScript.SETTLE_FAILED, List.of(RedisKeys.stream(queue, priority), RedisKeys.deadLetters(queue)),
                arguments,
                config.commandTimeout()).replaceWithVoid();
    }

    /** Notes a job as a dead letter that no entry stands for. */
    public Uni<Void> noteDeadLetter(String queue, UUID jobId, String reason) {
        Request xadd = Request.cmd(Command.XADD).arg(RedisKeys.deadLetters(queue)).arg("MAXLEN").arg("~")
                .arg(config.deadLetters())
                .arg("*").arg("j").arg(jobId.toString()).arg("reason").arg(reason);
        return redis.send(xadd, config.commandTimeout()).replaceWithVoid();
    }

    /**
     * What one promotion did.
     *
     * @param nextDue until the next job of the queue is due; null if none waits
     * @param late how long ago the first of those moved was due; zero if none was moved
     */
    public record Promotion(int moved, Duration nextDue, Duration late) {}

    /**
     * Moves up to {@code limit} due jobs of a queue to its streams, by the clock of Redis. It is the question that is asked most
     * often, so it also looks whether Redis has forgotten the queue.
     */
    public Uni<Promotion> promoteDue(String queue, int limit) {
        List<String> keys = new ArrayList<>(5);
        keys.add(RedisKeys.delayed(queue));
        keys.addAll(streams(queue));
        keys.add(RedisKeys.incarnation(queue));
        return redis.run(LuaScript.PROMOTE_DUE, keys, List.of(Integer.toString(limit)), config.commandTimeout())
                .invoke(reply -> {
                    if (reply.get(2).toInteger() == 0) {
                        dueTimes.lose(queue);
                    }
                })
                .map(reply -> new Promotion(reply.get(0).toInteger(), untilNext(reply.get(1)),
                        Duration.ofMillis(reply.get(3).toLong())));
    }

    /** Puts entries that {@code consumer} read but will not run onto their stream again. */
    public Uni<Integer> handBack(String queue, Priority priority, String consumer, List<StreamEntry> entries) {
        List<String> arguments = new ArrayList<>(entries.size() * 2 + 2);
        arguments.add(RedisKeys.GROUP);
        arguments.add(consumer);
        for (StreamEntry entry : entries) {
            arguments.add(entry.id());
            arguments.add(entry.jobId().toString());
        }
        return redis
                .run(LuaScript.HAND_BACK_ENTRIES, List.of(RedisKeys.stream(queue, priority)), arguments,
                        config.commandTimeout())
                .map(Response::toInteger);
    }

    /** Resets the idle time of entries that {@code consumer} still owns. */
    public Uni<Void> renew(String consumer, List<StreamEntry> entries) {
        Map<String, List<String>> byStream = new HashMap<>();
        for (StreamEntry entry : entries) {
            byStream.computeIfAbsent(RedisKeys.stream(entry.queue(), entry.priority()),
                    stream -> new ArrayList<>(List.of(RedisKeys.GROUP, consumer))).add(entry.id());
        }
        List<Uni<Response>> calls = new ArrayList<>(byStream.size());
        byStream.forEach((stream, arguments) -> calls
                .add(redis.run(LuaScript.RENEW_ENTRIES, List.of(stream), arguments, config.commandTimeout())));
        return calls.isEmpty() ? Uni.createFrom().voidItem() : Uni.join().all(calls).andFailFast().replaceWithVoid();
    }

    /** Ends the blocking read of another connection as if its time were up. */
    Uni<Void> unblock(long clientId) {
        Request unblock = Request.cmd(Command.CLIENT).arg("UNBLOCK").arg(clientId);
        return redis.send(unblock, config.commandTimeout()).replaceWithVoid()
                .onFailure().recoverWithNull();
    }

    static List<String> streams(String queue) {
        return List.of(RedisKeys.stream(queue, Priority.HIGH), RedisKeys.stream(queue, Priority.NORMAL),
                RedisKeys.stream(queue, Priority.LOW));
    }

    /** @return null if nothing waits */
    private static Duration untilNext(Response reply) {
        return reply.toLong() < 0 ? null : Duration.ofMillis(reply.toLong());
    }

    private static long[] lengths(Response reply) {
        return new long[]{reply.get(0).toLong(), reply.get(1).toLong(), reply.get(2).toLong()};
    }
}
