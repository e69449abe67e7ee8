package io.millrace.local;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** One Redis on the loopback interface, in a folder of its own, that writes what it holds to disk every second. */
final class EmbeddedRedis {

    private static final String PROGRAM = "redis-server";
    private static final Duration ANSWER_LIMIT = Duration.ofSeconds(5);
    private static final Duration STOP_LIMIT = Duration.ofSeconds(20);

    private final Path program;
    private final Path folder;
    private final Path log;
    private ProcessHandle process;
    private int port;

    EmbeddedRedis(Path program, Path folder) {
        this.program = program;
        this.folder = folder;
        this.log = folder.resolve("server.log");
    }

    /** @throws LocalServersException with the end of the server's log */
    void start() throws IOException {
        Files.createDirectories(folder);
        if (!adopts()) {
            launch();
        }
    }

    String url() {
        return "redis://" + LoopbackPort.HOST + ":" + port;
    }

    void stop() {
        if (process != null) {
            ServerProcess.stop(process, STOP_LIMIT);
        }
    }

    /** False if none was left running, or it was just ending. */
    private boolean adopts() throws IOException {
        Optional<Integer> last = LoopbackPort.last(portFile());
        Optional<ProcessHandle> left = ServerProcess.find(pidFile(), PROGRAM);
        if (last.isEmpty() || left.isEmpty()) {
            return false;
        }
        port = last.get();
        try {
            if (!isOurs(ask("CONFIG GET dir"))) {
                return false;
            }
        } catch (UncheckedIOException e) {
            // Two that write to one file would ruin it, so a silent one is not passed over.
            throw new LocalServersException("Redis (pid " + left.get().pid() + ") does not answer on port " + port
                    + ": end it, if it is the one of " + folder, e);
        }
        process = left.get();
        if (ServerProcess.awaitReady(process, this::isReady)) {
            return true;
        }
        if (ServerProcess.isRunning(process)) {
            throw failed("the Redis left running (pid " + process.pid() + ") does not get ready");
        }
        return false;
    }

    private void launch() throws IOException {
        Files.deleteIfExists(log);
        port = LoopbackPort.choose(portFile());
        List<String> command = new ArrayList<>();
        // A session of its own: Ctrl-C in the terminal does not reach it. macOS has no setsid.
        if (Command.succeeds(List.of("setsid", "true"))) {
            command.add("setsid");
        }
        command.addAll(List.of(program.toString(), "--port", String.valueOf(port), "--bind", LoopbackPort.HOST,
                "--dir", folder.toString(), "--pidfile", pidFile().toString(), "--maxmemory-policy", "noeviction",
                "--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
                // XDEL walks its node from the start: small nodes make a drained job a third cheaper for Redis.
                "--stream-node-max-entries", "16"));
        process = Command.start(command, log).toHandle();
        if (!ServerProcess.awaitReady(process, this::isReady)) {
            throw failed("Redis does not start");
        }
    }

    /** It does not PONG while it reads its file, but tells its folder even then. */
    private boolean isReady() {
        try {
            List<String> answer = ask("CONFIG GET dir\r\nPING");
            return isOurs(answer) && answer.contains("+PONG");
        } catch (UncheckedIOException notYet) {
            return false;
        }
    }

    private boolean isOurs(List<String> answer) {
        return answer.contains(folder.toString());
    }

    /**
     * @return the lines of the answer; none if nothing listens
     * @throws UncheckedIOException if something listens and does not answer within {@link #ANSWER_LIMIT}
     */
    private List<String> ask(String commands) {
        try (Socket socket = new Socket()) {
            socket.setSoTimeout((int) ANSWER_LIMIT.toMillis());
            socket.connect(new InetSocketAddress(LoopbackPort.HOST, port), (int) ANSWER_LIMIT.toMillis());
            socket.getOutputStream().write((commands + "\r\nQUIT\r\n").getBytes(StandardCharsets.UTF_8));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines().toList();
        } catch (ConnectException nothingListens) {
            return List.of();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private LocalServersException failed(String what) throws IOException {
        return new LocalServersException(what + "; " + log + " ends with\n" + Command.lastLines(log));
    }

    private Path pidFile() {
        return folder.resolve("redis.pid");
    }

    private Path portFile() {
        return folder.resolve("port");
    }
}
