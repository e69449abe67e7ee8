package io.millrace.support;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The packaged application as a process of its own, on free ports. It is killed when it is closed, if it still runs. */
public final class MillraceProcess implements AutoCloseable {

    private static final Path JAR = Path.of("target/quarkus-app/quarkus-run.jar");
    private static final Path OUTPUTS = Path.of("target/processes");

    private static final Pattern HTTP = Pattern.compile("Listening on: http://[^ :]+:(\\d+)");
    private static final Pattern MANAGEMENT = Pattern.compile("Management interface listening on http://[^ :]+:(\\d+)");
    private static final int WARNS_OF_UNSAFE = 24;
    private static final Duration START_LIMIT = Duration.ofSeconds(90);
    private static final Duration EXIT_LIMIT = Duration.ofSeconds(60);
    private static final Duration POLL = Duration.ofMillis(50);

    private final Process process;
    private final Path output;
    private final Path errors;

    private MillraceProcess(Process process, Path output, Path errors) {
        this.process = process;
        this.output = output;
        this.errors = errors;
    }

    /**
     * Starts it and does not wait.
     *
     * @param settings as environment variables; ports that they do not name are free ones
     */
    public static MillraceProcess start(Map<String, String> settings) {
        return start(settings, List.of());
    }

    /** @param jvmOptions further options of the JVM */
    public static MillraceProcess start(Map<String, String> settings, List<String> jvmOptions) {
        return start(settings, jvmOptions, List.of());
    }

    /** Runs one of its commands, such as {@code migrate}, and does not wait. */
    public static MillraceProcess command(Map<String, String> settings, String... command) {
        return start(settings, List.of(), List.of(command));
    }

    private static MillraceProcess start(Map<String, String> settings, List<String> jvmOptions, List<String> arguments) {
        try {
            Files.createDirectories(OUTPUTS);
            Path output = Files.createTempFile(OUTPUTS, "process-", ".out");
            Path errors = Path.of(output.toString().replace(".out", ".err"));
            ProcessBuilder builder = new ProcessBuilder(command(jvmOptions, arguments)).redirectOutput(output.toFile())
                    .redirectError(errors.toFile());
            builder.environment().keySet().removeIf(name -> name.startsWith("MILLRACE_") || name.startsWith("QUARKUS_"));
            builder.environment().put("MILLRACE_HTTP_PORT", "0");
            builder.environment().put("MILLRACE_MANAGEMENT_PORT", "0");
            builder.environment().put("MILLRACE_START_PATIENCE", "0s"); // what is not there in a test is meant not to be
            builder.environment().put("MILLRACE_API_DRAIN", "0s"); // nobody to wait for, mostly
            builder.environment().put("MILLRACE_AUTH", "open");
            builder.environment().putAll(settings);
            return new MillraceProcess(builder.start(), output, errors);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<String> command(List<String> jvmOptions, List<String> arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        // Quick to start and small, rather than fast.
        command.addAll(List.of("-XX:TieredStopAtLevel=1", "-Xmx256m"));
        if (Runtime.version().feature() >= WARNS_OF_UNSAFE) {
            command.add("--sun-misc-unsafe-memory-access=allow"); // Netty uses it; the JVM would say so on standard error
        }
        command.addAll(jvmOptions);
        command.addAll(List.of("-jar", JAR.toString()));
        command.addAll(arguments);
        return command;
    }

    /** Waits until it says that it is ready. */
    public MillraceProcess awaitReady() {
        await("a process that is ready").atMost(START_LIMIT).pollInterval(POLL).until(() -> {
            if (!process.isAlive()) {
                throw new IllegalStateException("the process ended with " + process.exitValue() + ":\n" + output() + errors());
            }
            return isReady();
        });
        return this;
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    public long pid() {
        return process.pid();
    }

    /** @return true if it says so now; false if it does not answer, or not yet */
    public boolean isReady() {
        try {
            return MANAGEMENT.matcher(output()).find() && management().get("/q/health/ready").status() == 200;
        } catch (UncheckedIOException silent) {
            return false;
        }
    }

    /** Its API; only of a process that is ready and serves it. */
    public Api api() {
        Matcher port = HTTP.matcher(output());
        if (!port.find()) {
            throw new IllegalStateException("it serves no API:\n" + output());
        }
        return new Api("http://localhost:" + port.group(1));
    }

    /** Its health and metrics; only of a process that is ready. */
    public Api management() {
        Matcher port = MANAGEMENT.matcher(output());
        if (!port.find()) {
            throw new IllegalStateException("it is not ready:\n" + output());
        }
        return new Api("http://localhost:" + port.group(1));
    }

    /** Asks it to end, as SIGTERM does. */
    public void terminate() {
        process.destroy();
    }

    /** Ends it without asking, as SIGKILL does. */
    public void kill() {
        process.destroyForcibly();
        awaitExit();
    }

    /** @return the exit code */
    public int awaitExit() {
        try {
            if (process.waitFor(EXIT_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
                return process.exitValue();
            }
            throw new IllegalStateException("the process did not end within " + EXIT_LIMIT + ":\n" + output() + errors());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    public String output() {
        return read(output);
    }

    public String errors() {
        return read(errors);
    }

    @Override
    public void close() {
        process.destroyForcibly();
        awaitExit();
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
