package io.millrace.local;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** A server's process, our child or adopted. */
final class ServerProcess {

    /** A server that replays its log after a crash answers late. */
    private static final Duration START_LIMIT = Duration.ofSeconds(60);
    private static final Duration POLL = Duration.ofMillis(20);

    private ServerProcess() {}

    /**
     * The process that a pid file names.
     *
     * @param mark part of its command line: after a crash or a reboot another program may have the pid
     * @return empty if there is no file, no process, or it is another program
     */
    static Optional<ProcessHandle> find(Path pidFile, String mark) throws IOException {
        return KeptFile.read(pidFile)
                .map(text -> Long.valueOf(text.lines().findFirst().orElseThrow()))
                .flatMap(ProcessHandle::of)
                .filter(process -> process.info().commandLine().filter(line -> line.contains(mark)).isPresent());
    }

    /** @return false if the process ended or {@link #START_LIMIT} passed first */
    static boolean awaitReady(ProcessHandle process, BooleanSupplier isReady) {
        await(START_LIMIT, () -> isReady.getAsBoolean() || !isRunning(process));
        return isRunning(process) && isReady.getAsBoolean();
    }

    /** Asks it to end, and kills it if it has not after {@code limit}. */
    static void stop(ProcessHandle process, Duration limit) {
        process.destroy();
        await(limit, () -> !isRunning(process));
        process.destroyForcibly();
    }

    /** Where process 1 reaps no orphans, as in many containers, a dead one stays as a zombie: without a command. */
    static boolean isRunning(ProcessHandle process) {
        return process.isAlive() && process.info().command().isPresent();
    }

    private static void await(Duration limit, BooleanSupplier condition) {
        long deadline = System.nanoTime() + limit.toNanos();
        while (!condition.getAsBoolean() && System.nanoTime() < deadline) {
            LockSupport.parkNanos(POLL.toNanos());
        }
    }
}
