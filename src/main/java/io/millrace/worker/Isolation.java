package io.millrace.worker;

import java.time.Duration;
import java.util.PriorityQueue;
import java.util.function.DoubleSupplier;

/**
 * Lets suspects, the jobs that workers died of, run one at a time, so that the guilty one takes no other suspect, who may be
 * innocent, along with it. Only for the probation: what kills its worker mostly does so soon, and jobs of hours that ran in a
 * process that was killed must not run one after the other. Pure but for chance: the caller tells the time. Thread-safe.
 */
public final class Isolation {
    /** {@link #enter} answers this when another suspect is in. */
    public static final int TAKEN = -1;

    private static final Duration SHORTEST_PAUSE = Duration.ofSeconds(1);
    private static final Duration LONGEST_PAUSE = Duration.ofMinutes(10);
    /** Of the stays so far, how much of the average is the last one. */
    private static final double WEIGHT = 0.2;

    private final long probationNanos;
    private final DoubleSupplier random;
    private final PriorityQueue<Long> returns = new PriorityQueue<>();
    private double stayNanos;
    private long enteredNanos;
    private int place;
    private boolean isIn;

    /** @param random 0 to 1, to spread those that are put off */
    public Isolation(Duration probation, DoubleSupplier random) {
        this.probationNanos = probation.toNanos();
        this.random = random;
        this.stayNanos = probationNanos;
    }

    /** @return the place, to be given to {@link #leave}; {@link #TAKEN} if a suspect is in and still on probation */
    public synchronized int enter(long nowNanos) {
        if (isIn && nowNanos - enteredNanos < probationNanos) {
            return TAKEN;
        }
        if (isIn) {
            count(probationNanos);
        }
        isIn = true;
        enteredNanos = nowNanos;
        place = place == Integer.MAX_VALUE ? 0 : place + 1;
        return place;
    }

    /** For a suspect whose handler is over. Its place may be another's by now. */
    public synchronized void leave(int leaving, long nowNanos) {
        if (isIn && leaving == place) {
            isIn = false;
            count(Math.min(probationNanos, nowNanos - enteredNanos));
        }
    }

    /**
     * When a suspect that found the place taken should come again: at random within the time that those who were put off and
     * have not come again will take, so that about one comes when the place is free, however many there are.
     *
     * @return 1 s to 10 min
     */
    public synchronized Duration pause(long nowNanos) {
        while (!returns.isEmpty() && returns.peek() - nowNanos <= 0) {
            returns.poll();
        }
        double spreadNanos = random.getAsDouble() * stayNanos * (returns.size() + 1);
        long pauseNanos = Math.min(LONGEST_PAUSE.toNanos(), SHORTEST_PAUSE.toNanos() + (long) spreadNanos);
        returns.add(nowNanos + pauseNanos);
        return Duration.ofNanos(pauseNanos);
    }

    private void count(long nanos) {
        stayNanos += WEIGHT * (nanos - stayNanos);
    }
}
