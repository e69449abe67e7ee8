package io.millrace.load;

import java.time.Duration;
import java.time.Instant;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/** The jobs of a run whose end nobody has seen yet: submitters add them, pollers take them in turn. */
final class OpenJobs {

    /** @param runAt what was asked for; null for now */
    record OpenJob(String id, Instant runAt) {}

    private final Queue<OpenJob> jobs = new ConcurrentLinkedQueue<>();
    private final AtomicInteger submitters;
    private final AtomicInteger unended = new AtomicInteger();
    private final Instant deadline;

    /**
     * @param submitters users that will call {@link #submitterEnded}, once each
     * @param limit after so long, counted from now, nobody asks for a job any more
     */
    OpenJobs(int submitters, Duration limit) {
        this.submitters = new AtomicInteger(submitters);
        deadline = Instant.now().plus(limit);
    }

    void add(OpenJob job) {
        unended.incrementAndGet();
        jobs.add(job);
    }

    /** To be called after {@link #add}: otherwise pollers could leave in between. */
    void submitterEnded() {
        submitters.decrementAndGet();
    }

    /** @return null if there is none, or others ask for all of them */
    OpenJob take() {
        return jobs.poll();
    }

    void putBack(OpenJob job) {
        jobs.add(job);
    }

    void ended() {
        unended.decrementAndGet();
    }

    /** Whether pollers go on: something is open or may still come, and there is time. */
    boolean isWatched() {
        return (submitters.get() > 0 || unended.get() > 0) && Instant.now().isBefore(deadline);
    }
}
