package io.millrace.rate;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.function.LongSupplier;

import io.millrace.stream.TokenBuckets.Taken;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.UniEmitter;

/**
 * This process's side of a bucket of tokens in Redis. It takes some in advance, so that most requests cost no round trip; and it
 * remembers the most that can be left there, so that a tenant who is over the limit costs none either. One question is under way
 * at a time, for all who wait.
 */
final class Bucket {
    /** Tokens for so long are taken in advance: little enough that a process which falls silent keeps little from the others. */
    private static final int CHUNKS_PER_SECOND = 10;

    /** Where the tokens are that all processes share. */
    @FunctionalInterface
    interface Source {
        /** @return fails if it does not answer in time */
        Uni<Taken> take(long need, long want);
    }

    private record Waiter(long amount, UniEmitter<? super Verdict> emitter) {}

    private final Limit limit;
    private final Source source;
    private final LongSupplier nanos;
    private final long aloneNanos;
    private final long chunk;

    // Guarded by `this`.
    private final Deque<Waiter> waiting = new ArrayDeque<>();
    private boolean isAsking;
    private long inHand;
    private double inRedis;
    private long inRedisAtNanos;
    /** When a bucket that only this process takes from would be full. */
    private long ownFullAtNanos;
    private long aloneUntilNanos;

    Bucket(Limit limit, Source source, Duration alone, LongSupplier nanos) {
        this.limit = limit;
        this.source = source;
        this.nanos = nanos;
        this.aloneNanos = alone.toNanos();
        this.chunk = Math.max(1, Math.min(limit.perSecond(), limit.burst()) / CHUNKS_PER_SECOND);
        this.inRedis = limit.burst();
        this.inRedisAtNanos = nanos.getAsLong();
        this.ownFullAtNanos = inRedisAtNanos;
        this.aloneUntilNanos = inRedisAtNanos;
    }

    Uni<Verdict> take(long amount) {
        synchronized (this) {
            Verdict verdict = decide(amount);
            if (verdict != null) {
                return Uni.createFrom().item(verdict);
            }
        }
        return Uni.createFrom().emitter(emitter -> await(new Waiter(amount, emitter)));
    }

    private void await(Waiter waiter) {
        boolean isFirst;
        synchronized (this) {
            waiting.add(waiter);
            isFirst = !isAsking;
            isAsking = true;
        }
        if (isFirst) {
            ask();
        }
    }

    /** @return null if Redis has to be asked */
    private Verdict decide(long amount) {
        long now = nanos.getAsLong();
        if (inHand >= amount) {
            inHand -= amount;
            return allow(amount, now);
        }
        if (now - aloneUntilNanos < 0) {
            double missing = Math.min(amount, limit.burst()) - own(now);
            return missing > 0 ? refuse(missing, now) : allow(amount, now);
        }
        double missing = Math.min(amount - inHand, limit.burst()) - inRedis(now);
        return missing > 0 ? refuse(missing, now) : null;
    }

    private Verdict allow(long amount, long now) {
        ownFullAtNanos = Math.max(ownFullAtNanos, now) + limit.timeFor(amount).toNanos();
        return new Verdict(limit, true, left(now), Duration.ZERO);
    }

    private Verdict refuse(double missing, long now) {
        return new Verdict(limit, false, left(now), limit.timeFor(missing));
    }

    private long left(long now) {
        return (long) Math.max(0, now - aloneUntilNanos < 0 ? own(now) : inHand + inRedis(now));
    }

    /** The most that can be there: others only take from it. */
    private double inRedis(long now) {
        return Math.min(limit.burst(), inRedis + limit.comesIn(now - inRedisAtNanos));
    }

    /** What is left if nobody else takes anything. */
    private double own(long now) {
        return limit.burst() - limit.comesIn(Math.max(0, ownFullAtNanos - now));
    }

    private void ask() {
        long need;
        long want = chunk;
        synchronized (this) {
            need = waiting.peek().amount() - inHand;
            for (Waiter waiter : waiting) {
                want += waiter.amount();
            }
            want -= inHand;
        }
        source.take(need, want).subscribe().with(this::answered, failure -> goAlone());
    }

    private void answered(Taken answer) {
        synchronized (this) {
            inHand += answer.taken();
            know(answer.left());
        }
        tellAll();
    }

    private void goAlone() {
        synchronized (this) {
            aloneUntilNanos = nanos.getAsLong() + aloneNanos;
            know(limit.burst()); // it may have forgotten
        }
        tellAll();
    }

    private void know(double left) {
        inRedis = left;
        inRedisAtNanos = nanos.getAsLong();
    }

    /** All for whom there is an answer now; for the rest Redis is asked again. */
    private void tellAll() {
        Map<Waiter, Verdict> told = new HashMap<>();
        boolean isMore;
        synchronized (this) {
            for (Iterator<Waiter> each = waiting.iterator(); each.hasNext();) {
                Waiter waiter = each.next();
                Verdict verdict = decide(waiter.amount());
                if (verdict != null) {
                    told.put(waiter, verdict);
                    each.remove();
                }
            }
            isMore = !waiting.isEmpty();
            isAsking = isMore;
        }
        told.forEach((waiter, verdict) -> waiter.emitter().complete(verdict));
        if (isMore) {
            ask();
        }
    }
}
