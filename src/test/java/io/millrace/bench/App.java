package io.millrace.bench;

import java.io.IOException;
import java.net.BindException;
import java.net.HttpURLConnection;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** One process of the packaged application. */
final class App implements AutoCloseable {

    private static final Path JAR = Path.of("target", "quarkus-app", "quarkus-run.jar");
    private static final Duration START_LIMIT = Duration.ofSeconds(60);
    private static final Duration STOP_LIMIT = Duration.ofSeconds(30);

    private static final int LOWEST_PORT = 20_000;
    private static final int HIGHEST_PORT = 32_000;

    private final Process process;
    private final URI api;

    private App(Process process, URI api) {
        this.process = process;
        this.api = api;
    }

    /**
     * Starts one and waits until it is ready. {@code -Dbench.jvm} has further options for its JVM, for example those of a flight
     * recording.
     *
     * @param settings environment variables; none of this process's own {@code MILLRACE_} settings reaches it
     * @param log what it prints
     */
    static App start(Map<String, String> settings, Path log) throws IOException {
        int port = freePort();
        int managementPort = freePort();
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        Stream.of(System.getProperty("bench.jvm", "").split(" ")).filter(option -> !option.isBlank()).forEach(command::add);
        command.addAll(List.of("-jar", JAR.toString()));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("MILLRACE_"));
        builder.environment().putAll(settings);
        builder.environment().put("MILLRACE_AUTH", "open");
        builder.environment().put("MILLRACE_HTTP_PORT", Integer.toString(port));
        builder.environment().put("MILLRACE_MANAGEMENT_PORT", Integer.toString(managementPort));
        App app = new App(builder.start(), URI.create("http://127.0.0.1:" + port));
        URI ready = URI.create("http://127.0.0.1:" + managementPort + "/q/health/ready");
        try {
            Stack.await().atMost(START_LIMIT).failFast("the process ended: see " + log, () -> !app.process.isAlive())
                    .until(() -> isReady(ready));
        } catch (RuntimeException notReady) {
            app.close();
            throw notReady;
        }
        return app;
    }

    URI api() {
        return api;
    }

    long pid() {
        return process.pid();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(STOP_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }

    private static boolean isReady(URI health) {
        try {
            HttpURLConnection connection = (HttpURLConnection) health.toURL().openConnection();
            connection.setReadTimeout((int) START_LIMIT.toMillis());
            return connection.getResponseCode() == HttpURLConnection.HTTP_OK;
        } catch (IOException notYet) {
            return false;
        }
    }

    /** Below the ports that systems hand out for outgoing connections: one of ours could take it before the process does. */
    private static int freePort() throws IOException {
        while (true) {
            try (ServerSocket socket = new ServerSocket(ThreadLocalRandom.current().nextInt(LOWEST_PORT, HIGHEST_PORT))) {
                return socket.getLocalPort();
            } catch (BindException inUse) {
                // the next one, then
            }
        }
    }
}
