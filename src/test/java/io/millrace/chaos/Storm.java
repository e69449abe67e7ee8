package io.millrace.chaos;

import java.time.Duration;
import java.time.Instant;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/** Lets faults happen, one after the other and some in pairs, in an order that the seed alone decides. */
final class Storm implements AutoCloseable {
    private static final Duration END_LIMIT = Duration.ofSeconds(90);
    private static final int LONGEST_GAP_MS = 900;
    /** One in so many overlaps the one before. */
    private static final int PAIRS = 2;

    /** A fault that was. */
    record Occurrence(Fault.Kind kind, String what, Instant begin, Instant end) {
        /** @return true if it may have to do with what went on between the two times */
        boolean touches(Instant from, Instant to, Duration aftermath) {
            return begin.isBefore(to) && end.plus(aftermath).isAfter(from);
        }
    }

    private final Cluster cluster;
    private final Journal journal;
    private final SplittableRandom random;
    private final Queue<Occurrence> occurrences = new ConcurrentLinkedQueue<>();
    private final ExecutorService faults = Executors.newCachedThreadPool();
    /** Two faults of one server process would undo each other. */
    private final Lock redis = new ReentrantLock();
    private final Lock postgres = new ReentrantLock();
    private int turn;
    private int failpointTurn;
    private Future<?> last;

    Storm(Cluster cluster, Journal journal, long seed) {
        this.cluster = cluster;
        this.journal = journal;
        this.random = new SplittableRandom(seed ^ 0x5_7012_4D);
    }

    List<Occurrence> occurrences() {
        return List.copyOf(occurrences);
    }

    Map<Fault.Kind, Integer> counts() {
        Map<Fault.Kind, Integer> counts = new EnumMap<>(Fault.Kind.class);
        occurrences.forEach(occurrence -> counts.merge(occurrence.kind(), 1, Integer::sum));
        return counts;
    }

    /** Ends when the time is over and every fault of it has ended. */
    void rage(Duration time) {
        long end = System.nanoTime() + time.toNanos();
        while (System.nanoTime() - end < 0) {
            Future<?> before = last;
            int processes = cluster.members().size();
            Fault fault = turn++ % 3 == 0
                    ? Fault.failpoint(failpointTurn++, random, processes)
                    : Fault.random(random, processes);
            boolean overlaps = random.nextInt(PAIRS) == 0;
            Duration gap = Duration.ofMillis(random.nextInt(50, LONGEST_GAP_MS));
            last = faults.submit(() -> happen(fault));
            if (!overlaps) {
                await(before);
                await(last);
            }
            LockSupport.parkNanos(gap.toNanos());
        }
        await(last);
    }

    private void happen(Fault fault) {
        Lock lock = lock(fault.kind());
        if (lock != null) {
            lock.lock();
        }
        Instant begin = Instant.now();
        try {
            fault.begin(cluster);
            LockSupport.parkNanos(fault.time().toNanos());
        } finally {
            fault.end(cluster);
            if (lock != null) {
                lock.unlock();
            }
            Occurrence occurrence = new Occurrence(fault.kind(), fault.describe(), begin, Instant.now());
            occurrences.add(occurrence);
            journal.write("fault", occurrence);
        }
    }

    private Lock lock(Fault.Kind kind) {
        return switch (kind) {
            case KILL_REDIS, PAUSE_REDIS, ROLL_BACK_REDIS -> redis;
            case KILL_POSTGRES, PAUSE_POSTGRES -> postgres;
            default -> null;
        };
    }

    private static void await(Future<?> fault) {
        try {
            if (fault != null) {
                fault.get(END_LIMIT.toSeconds(), TimeUnit.SECONDS);
            }
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException("a fault could not be undone", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        faults.shutdownNow();
    }
}
