package io.millrace.worker;

import java.time.Duration;
import java.util.function.Function;

import org.jboss.logging.Logger;

import io.millrace.stream.JobStream;
import io.smallrye.mutiny.Uni;

/**
 * Looks after the reader of one queue: "connected, healthy, and never reads again" must not last, whatever the cause. A pass
 * that fails has ended, so a Redis that is away for long is no reason to bark.
 */
final class Watchdog {
    private static final Logger LOG = Logger.getLogger(Watchdog.class);
    /** A reader that hangs this many times more, each time anew, hangs for a reason that only a new process can mend. */
    private static final int MOST_REPLACEMENTS = 3;

    private final String queue;
    private final Duration limit;
    private final Function<Boolean, Reader> newReader;
    private final Runnable onHopeless;

    // Guarded by this.
    private Reader reader;
    private Uni<Void> stopped;
    private int replacements;
    private boolean isStopping;

    /**
     * @param limit a pass that takes longer hangs
     * @param newReader gets whether the reader replaces another
     * @param onHopeless is called once, when all replacements hang; must not block
     */
    Watchdog(String queue, Duration limit, Function<Boolean, Reader> newReader, Runnable onHopeless) {
        this.queue = queue;
        this.limit = limit;
        this.newReader = newReader;
        this.onHopeless = onHopeless;
    }

    synchronized void start() {
        run(newReader.apply(false));
    }

    /** @return completes when the last read has ended and its entries are handed on */
    synchronized Uni<Void> stop(JobStream commands) {
        isStopping = true;
        reader.stop(commands);
        return stopped;
    }

    /** One look at the reader. Throws nothing: whoever looks on a timer would stop. */
    void check() {
        try {
            look();
        } catch (RuntimeException | Error mistake) {
            LOG.errorf(mistake, "cannot look after the reader of queue %s", queue);
        }
    }

    private synchronized void look() {
        if (reader.hasCompletedPass()) {
            replacements = 0;
        }
        if (isStopping || !reader.isReadingFor(limit)) {
            return;
        }
        if (replacements == MOST_REPLACEMENTS) {
            isStopping = true;
            LOG.fatalf("queue %s: %d readers in a row hung for %s each", queue, MOST_REPLACEMENTS + 1, limit);
            onHopeless.run();
            return;
        }
        replacements++;
        LOG.errorf("queue %s: a read has neither ended nor failed within %s; starting another reader", queue, limit);
        reader.giveUp();
        run(newReader.apply(true));
    }

    private void run(Reader fresh) {
        reader = fresh;
        stopped = fresh.run();
        stopped.subscribe().with(ignored -> {});
    }
}
