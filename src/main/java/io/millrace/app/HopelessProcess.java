package io.millrace.app;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import org.jboss.logging.Logger;

import io.quarkus.runtime.Quarkus;

/** Ends a process that cannot help itself any more, so that whoever started it starts another. */
final class HopelessProcess {
    /** Apart from those of {@link StartFailure}: the settings were right, and everything answered once. */
    static final int EXIT_CODE = 3;

    private static final Logger LOG = Logger.getLogger(HopelessProcess.class);
    /** What hangs may hang the orderly stop, too. More than the default drain and the last writes take. */
    private static final long SECONDS_FOR_THE_STOP = 60;

    private HopelessProcess() {}

    /** Stops in order if that is possible, else at once. Does not block. */
    static void end() {
        LOG.fatalf("this process cannot read its queues any more: it ends, with exit code %d; start it again", EXIT_CODE);
        CompletableFuture.delayedExecutor(SECONDS_FOR_THE_STOP, TimeUnit.SECONDS)
                .execute(() -> Runtime.getRuntime().halt(EXIT_CODE));
        Quarkus.asyncExit(EXIT_CODE);
    }
}
