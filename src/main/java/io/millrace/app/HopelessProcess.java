package io.millrace.app;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import org.jboss.logging.Logger;

import io.quarkus.runtime.Quarkus;

/** Ends a process that cannot help itself any more, so that whoever started it starts another. */
final class HopelessProcess {
    private static final Logger LOG = Logger.getLogger(HopelessProcess.class);
    /** For the steps of a stop other than the drain. */
    private static final Duration LAST_STEPS = Duration.ofSeconds(40);

    private HopelessProcess() {}

    /**
     * Stops in order; if what hangs hangs the stop, too, then without. Does not block.
     *
     * @param drain what jobs that run get to finish
     */
    static void end(Duration drain) {
        LOG.fatalf("this process cannot read its queues any more: it ends, with exit code %d; start it again",
                ExitCode.HOPELESS);
        CompletableFuture.delayedExecutor(drain.plus(LAST_STEPS).toMillis(), TimeUnit.MILLISECONDS)
                .execute(() -> Runtime.getRuntime().halt(ExitCode.HOPELESS));
        Quarkus.asyncExit(ExitCode.HOPELESS);
    }
}
