package io.millrace.support;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;

/** Redis over a socket, for a look behind the application's back. */
public final class PlainRedis {

    private static final Duration ANSWER_LIMIT = Duration.ofSeconds(10);

    private PlainRedis() {}

    /**
     * @param url {@code redis://host:port} or {@code redis://host:port/number}, without a password
     * @param commands as typed in redis-cli
     * @return the lines of all answers as the protocol has them, such as {@code +OK}; lengths are lines too
     * @throws IllegalStateException if one answer is an error
     */
    public static List<String> ask(String url, String... commands) {
        URI server = URI.create(url);
        // Not needed for number 0: a Redis that is busy or loads would refuse it, and answer the commands.
        String select = server.getPath().isEmpty() ? "" : "SELECT " + server.getPath().substring(1) + "\r\n";
        try (Socket socket = new Socket(server.getHost(), server.getPort())) {
            socket.setSoTimeout((int) ANSWER_LIMIT.toMillis());
            String all = select + String.join("\r\n", commands) + "\r\nQUIT\r\n";
            socket.getOutputStream().write(all.getBytes(StandardCharsets.UTF_8));
            List<String> answers = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines().toList();
            if (answers.stream().anyMatch(line -> line.startsWith("-"))) {
                throw new IllegalStateException(all + answers);
            }
            return answers.subList(select.isEmpty() ? 0 : 1, answers.size() - 1);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
