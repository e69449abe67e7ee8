package io.millrace.stream;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import jakarta.inject.Singleton;

import io.millrace.job.Priority;

/**
 * Keeps at most {@link StreamConfig#dispatchWindow} ids on each stream, so that a backlog of millions lives in PostgreSQL and
 * losing Redis costs little. Lengths are those of the last append or measurement by this process: a flood from several
 * processes can overshoot by a batch each.
 */
@Singleton
public class DispatchWindow {
    /** A length that is older is not believed. */
    private static final long STALE_NANOS = Duration.ofMillis(200).toNanos();
    /** Queues remembered; beyond, all are forgotten and learned again. */
    private static final int MOST_QUEUES = 10_000;

    private record Seen(long[] lengths, long nanoTime) {}

    private final int most;
    private final Map<String, Seen> seen = new ConcurrentHashMap<>();

    DispatchWindow(StreamConfig config) {
        most = config.dispatchWindow();
    }

    void observe(String queue, long[] lengths) {
        if (seen.size() >= MOST_QUEUES) {
            seen.clear();
        }
        seen.put(queue, new Seen(lengths, System.nanoTime()));
    }

    /** @return how many more ids the stream takes; the whole window if nothing is known of it */
    public int room(String queue, Priority priority) {
        Seen last = seen.get(queue);
        return last == null ? most : (int) Math.max(0, most - last.lengths()[priority.code()]);
    }

    /**
     * @return true if what is known of the queue is old, so that the caller should {@link JobStream#measure} it; others who ask
     *         meanwhile get false
     */
    public boolean isToBeMeasured(String queue) {
        Seen last = seen.get(queue);
        if (last == null) {
            return true;
        }
        boolean isStale = System.nanoTime() - last.nanoTime() > STALE_NANOS;
        return isStale && seen.replace(queue, last, new Seen(last.lengths(), System.nanoTime()));
    }
}
