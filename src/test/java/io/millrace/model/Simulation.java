package io.millrace.model;

import java.util.List;
import java.util.PriorityQueue;
import java.util.SplittableRandom;

/**
 * A clock, the events to come, and the one source of chance. There is no thread and no other clock: the same seed gives the same
 * run, event by event.
 */
final class Simulation {
    /** Early enough to be read as an offset, late enough that no margin makes it negative. */
    static final long START_MS = 1_000_000_000L;

    private record Event(long atMs, long number, Runnable action) implements Comparable<Event> {
        @Override
        public int compareTo(Event other) {
            int byTime = Long.compare(atMs, other.atMs);
            return byTime != 0 ? byTime : Long.compare(number, other.number);
        }
    }

    private final PriorityQueue<Event> events = new PriorityQueue<>();
    private final SplittableRandom random;
    private long nowMs = START_MS;
    private long scheduled;
    private long executed;
    private long hash = 17;

    Simulation(long seed) {
        random = new SplittableRandom(seed);
    }

    long nowMs() {
        return nowMs;
    }

    /** Events of the same millisecond happen in the order in which they were scheduled. */
    void at(long timeMs, Runnable action) {
        events.add(new Event(Math.max(timeMs, nowMs), scheduled++, action));
    }

    void runUntil(long timeMs) {
        while (!events.isEmpty() && events.peek().atMs() <= timeMs) {
            Event next = events.poll();
            nowMs = next.atMs();
            executed++;
            mix(next.atMs() * 31 + next.number());
            next.action().run();
        }
        nowMs = timeMs;
    }

    /** @return from {@code low} to {@code high}, both included */
    long between(long low, long high) {
        return random.nextLong(low, high + 1);
    }

    double fraction() {
        return random.nextDouble();
    }

    boolean isChance(double probability) {
        return probability > 0 && random.nextDouble() < probability;
    }

    <T> T pick(List<T> candidates) {
        return candidates.get(random.nextInt(candidates.size()));
    }

    /** Makes something that happened a part of {@link #traceHash}. */
    void mix(long what) {
        hash = (hash ^ what) * 0x9E3779B97F4A7C15L;
        hash ^= hash >>> 32;
    }

    /** @return a number that differs if anything happened otherwise */
    long traceHash() {
        return hash;
    }

    long executed() {
        return executed;
    }
}
