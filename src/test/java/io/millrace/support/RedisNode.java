package io.millrace.support;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Assumptions;

/** A Redis of one test, for what the shared one must not suffer. It is the program that the shared one runs. */
public final class RedisNode implements AutoCloseable {
    private static final Duration START_LIMIT = Duration.ofSeconds(20);

    private final Path folder;
    private final int port;
    private final List<String> command;
    private Process process;

    private RedisNode(Path folder, int port, List<String> command) {
        this.folder = folder;
        this.port = port;
        this.command = command;
    }

    /** @param options of redis-server, where they differ from the defaults */
    public static RedisNode start(String... options) {
        try {
            Path folder = Files.createTempDirectory(Files.createDirectories(Path.of("target")), "redis-").toAbsolutePath();
            int port = freePort();
            List<String> command = new ArrayList<>(List.of(program(), "--port", Integer.toString(port), "--bind", "127.0.0.1",
                    "--dir", folder.toString(), "--save", ""));
            command.addAll(List.of(options));
            RedisNode node = new RedisNode(folder, port, command);
            node.run();
            node.awaitAnswer();
            return node;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public String url() {
        return "redis://127.0.0.1:" + port;
    }

    public int port() {
        return port;
    }

    /** Saves what it holds, ends, and starts again; does not wait until it answers. */
    public void restart() {
        PlainRedis.ask(url(), "SAVE");
        stop();
        run();
    }

    @Override
    public void close() {
        stop();
        try (var files = Files.walk(folder)) {
            files.sorted(java.util.Comparator.reverseOrder()).forEach(path -> path.toFile().delete());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void run() {
        try {
            process = new ProcessBuilder(command).redirectErrorStream(true)
                    .redirectOutput(folder.resolve("redis.log").toFile()).start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void stop() {
        process.destroyForcibly();
        process.onExit().join();
    }

    private void awaitAnswer() {
        await().atMost(START_LIMIT).ignoreExceptions().until(() -> PlainRedis.ask(url(), "PING").contains("+PONG"));
    }

    private static String program() {
        String program = PlainRedis.ask(TestServers.get().redisUrl(), "INFO server").stream()
                .filter(line -> line.startsWith("executable:")).map(line -> line.substring("executable:".length()))
                .findFirst().orElse("");
        Assumptions.assumeTrue(Files.isExecutable(Path.of(program)), "the shared Redis runs on another machine");
        return program;
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }
}
