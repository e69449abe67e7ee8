package io.millrace.effect;

import java.time.Duration;
import java.util.concurrent.atomic.LongAdder;

import jakarta.inject.Singleton;

import io.millrace.job.AttemptId;
import io.millrace.store.EffectStore;
import io.millrace.stream.KeyHints;
import io.millrace.stream.RedisKeys;
import io.smallrye.mutiny.Uni;

/**
 * Lets a handler do something to the outside world once, even if two jobs ask for it: an effect has a key, for example
 * {@code welcome:ada@example.org}, which is its own within the tenant.
 *
 * <pre>{@code
 * return effects.begin(context.attemptId(), key).chain(turn -> switch (turn) {
 *     case DONE -> Uni.createFrom().item(new Outcome.Success(null));
 *     case ELSEWHERE -> Uni.createFrom().item(new Outcome.Snooze(A_WHILE));
 *     case MINE -> send().call(() -> effects.done(context.attemptId(), key)).map(Outcome.Success::new);
 * });
 * }</pre>
 *
 * An attempt that dies between the effect and {@link #done} leaves it undone on record: the next attempt does it again. A receiver
 * that must not see it twice needs a key of its own, for example the id of the job.
 */
@Singleton
public class Effects {

    /** Whose turn it is to do an effect. */
    public enum Turn {
        /** Somebody did it. */
        DONE,
        /** Do it, then say so: nobody has begun it, or an earlier attempt of this job, or a job that ended without doing it. */
        MINE,
        /** Another job is about to do it: ask again later. Also for an attempt that no longer holds its job. */
        ELSEWHERE
    }

    private final EffectStore store;
    private final KeyHints hints;
    private final Duration keep;
    private final LongAdder doneBefore = new LongAdder();

    Effects(EffectStore store, KeyHints hints, EffectConfig config) {
        this.store = store;
        this.hints = hints;
        this.keep = config.keep();
    }

    /** @param key any text without NUL; a long one is better hashed */
    public Uni<Turn> begin(AttemptId attempt, String key) {
        return hints.isSet(RedisKeys.effect(attempt.tenant(), key)).chain(isDone -> isDone
                ? Uni.createFrom().item(Turn.DONE) // set only when PostgreSQL had said so
                : store.begin(attempt, key, keep).map(Turn::valueOf)).invoke(turn -> {
                    if (turn == Turn.DONE) {
                        doneBefore.increment();
                    }
                });
    }

    /** @return how often a handler asked for an effect that had been done */
    public long doneBeforeCount() {
        return doneBefore.sum();
    }

    /**
     * Records that this attempt did it.
     *
     * @return false if another attempt or job has begun it since: it is theirs to record
     */
    public Uni<Boolean> done(AttemptId attempt, String key) {
        return store.finish(attempt, key, keep).call(isRecorded -> isRecorded
                ? hints.set(RedisKeys.effect(attempt.tenant(), key), attempt.jobId().toString(), keep)
                : Uni.createFrom().voidItem());
    }
}
