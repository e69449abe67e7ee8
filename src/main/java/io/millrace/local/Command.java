package io.millrace.local;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A program of the operating system. */
final class Command {

    private static final Path NO_LOG = Path.of("/dev/null");

    /** Far more than initdb, the slowest, takes on a slow disk (1-5 s). */
    private static final Duration LIMIT = Duration.ofMinutes(2);
    private static final int LAST_LINES = 20;

    private Command() {}

    /**
     * Runs it to its end.
     *
     * @return the exit code
     * @throws IOException if there is no such program, or it has not ended after {@link #LIMIT}
     */
    static int run(List<String> command, Path log) throws IOException {
        Process process = start(command, log);
        try {
            if (process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
                return process.exitValue();
            }
            throw new IOException("no end after " + LIMIT + ": " + String.join(" ", command));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException();
        } finally {
            process.destroyForcibly();
        }
    }

    /** Whether there is such a program and it ends well; what it prints is lost. */
    static boolean succeeds(List<String> command) {
        try {
            return run(command, NO_LOG) == 0;
        } catch (IOException absent) {
            return false;
        }
    }

    /** @param log what it prints is added there */
    static Process start(List<String> command, Path log) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        builder.environment().put("LC_ALL", "C"); // PostgreSQL on macOS does not start without a valid one
        return builder.start();
    }

    /** The end of a log, for an error message; a line of its own each. */
    static String lastLines(Path log) throws IOException {
        try {
            List<String> lines = Files.readAllLines(log, StandardCharsets.ISO_8859_1);
            return String.join("\n", lines.subList(Math.max(0, lines.size() - LAST_LINES), lines.size()));
        } catch (NoSuchFileException absent) {
            return "(no log)";
        }
    }
}
