package io.millrace.support;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Requests byte for byte: what a well-behaved client would not send. */
public final class RawHttp {
    private static final int ANSWER_LIMIT_MS = 20_000;

    private RawHttp() {}

    /** @param headers by their names in lower case; the first of each */
    public record Answer(int status, Map<String, String> headers, String body) {}

    /**
     * @param target as it stands on the request line
     * @param lines of the header, in UTF-8
     * @throws UncheckedIOException if the server closes the connection without an answer
     */
    public static Answer send(URI server, String method, String target, List<String> lines, byte[] body) {
        List<String> all = new ArrayList<>(List.of(method + " " + target + " HTTP/1.1", "Connection: close"));
        if (lines.stream().noneMatch(line -> line.startsWith("Host:"))) {
            all.add("Host: localhost");
        }
        if (body.length > 0) {
            all.add("Content-Length: " + body.length);
        }
        all.addAll(lines);
        try (Socket socket = new Socket(server.getHost(), server.getPort())) {
            socket.setSoTimeout(ANSWER_LIMIT_MS);
            ByteArrayOutputStream request = new ByteArrayOutputStream();
            request.write((String.join("\r\n", all) + "\r\n\r\n").getBytes(StandardCharsets.UTF_8));
            request.write(body);
            socket.getOutputStream().write(request.toByteArray());
            return parse(new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Answer parse(String text) throws IOException {
        int end = text.indexOf("\r\n\r\n");
        if (end < 0) {
            throw new IOException("no answer: " + text);
        }
        String[] head = text.substring(0, end).split("\r\n");
        Map<String, String> headers = new TreeMap<>();
        for (int i = 1; i < head.length; i++) {
            String[] header = head[i].split(":", 2);
            headers.putIfAbsent(header[0].toLowerCase(java.util.Locale.ROOT), header[1].strip());
        }
        return new Answer(Integer.parseInt(head[0].split(" ")[1]), headers, text.substring(end + 4));
    }
}
