package io.millrace.chaos;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;

import io.millrace.chaos.agent.Action;
import io.millrace.chaos.agent.Point;

/**
 * The other end of the agents' lines: arms points, counts how often each was hit, and is the sink that every handler's effect
 * goes to. No fault is ever injected here.
 */
final class Conductor implements AutoCloseable {
    private static final Duration ANSWER_LIMIT = Duration.ofSeconds(10);

    /** What a handler did to the world, as a receiver outside sees it. */
    record Effect(Instant at, String process, UUID jobId, int epoch, int attempt) {}

    /** What a process holds. */
    record Figures(int heapMb, int threads, int files) {}

    private final ServerSocket listener;
    private final Map<String, Line> lines = new ConcurrentHashMap<>();
    private final Queue<Effect> effects = new ConcurrentLinkedQueue<>();
    private final Map<Point, Integer> hits = new EnumMap<>(Point.class);
    private final Map<Point, String> lastHit = new ConcurrentHashMap<>();
    private final Journal journal;

    Conductor(Journal journal) {
        this.journal = journal;
        try {
            listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        daemon("conductor", () -> {
            while (true) {
                Socket socket = listener.accept();
                daemon("conductor-line", () -> serve(socket));
            }
        });
    }

    int port() {
        return listener.getLocalPort();
    }

    /**
     * @param after how often the point is passed before
     * @return false if there is no such process now
     */
    boolean arm(String process, Point point, Action action, Duration time, int after) {
        Line line = lines.get(process);
        return line != null && line.send("arm " + point + " " + action + " " + time.toMillis() + " " + after);
    }

    void disarm() {
        lines.values().forEach(line -> line.send("disarm"));
    }

    /** @return null if the process does not answer */
    Figures figures(String process) {
        Line line = lines.get(process);
        if (line == null || !line.send("figures")) {
            return null;
        }
        try {
            return line.figures.poll(ANSWER_LIMIT.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return null;
        }
    }

    List<Effect> effects() {
        return List.copyOf(effects);
    }

    Map<Point, Integer> hits() {
        synchronized (hits) {
            return new EnumMap<>(hits);
        }
    }

    /** @return the process that was hit there last; null if none was */
    String hitAt(Point point) {
        return lastHit.get(point);
    }

    private void serve(Socket socket) throws IOException {
        String name = null;
        Line line = null;
        try (BufferedReader in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8))) {
            for (String text = in.readLine(); text != null; text = in.readLine()) {
                String[] words = text.split(" ");
                switch (words[0]) {
                    case "hello" -> {
                        name = words[1];
                        line = new Line(socket);
                        lines.put(name, line);
                    }
                    case "effect" -> took(new Effect(Instant.now(), name, UUID.fromString(words[1]), Integer.parseInt(words[2]),
                            Integer.parseInt(words[3])));
                    case "hit" -> hit(name, Point.valueOf(words[1]), words[2]);
                    case "figures" -> line.figures.offer(new Figures(Integer.parseInt(words[1]), Integer.parseInt(words[2]),
                            Integer.parseInt(words[3])));
                    default -> throw new IllegalStateException(text);
                }
            }
        } finally {
            if (line != null) {
                lines.remove(name, line);
            }
        }
    }

    private void took(Effect effect) {
        effects.add(effect);
        journal.write("effect", effect);
    }

    private void hit(String process, Point point, String action) {
        synchronized (hits) {
            hits.merge(point, 1, Integer::sum);
        }
        lastHit.put(point, process);
        journal.write("hit", Map.of("process", process, "point", point, "action", action));
    }

    @Override
    public void close() {
        try {
            listener.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static final class Line {
        private final Socket socket;
        private final SynchronousQueue<Figures> figures = new SynchronousQueue<>();

        Line(Socket socket) {
            this.socket = socket;
        }

        synchronized boolean send(String text) {
            try {
                socket.getOutputStream().write((text + "\n").getBytes(StandardCharsets.UTF_8));
                return true;
            } catch (IOException gone) {
                return false;
            }
        }
    }

    private interface Work {
        void run() throws IOException;
    }

    private static void daemon(String name, Work work) {
        Thread thread = new Thread(() -> {
            try {
                work.run();
            } catch (IOException closed) {
                // by the other end, or by close()
            }
        }, name);
        thread.setDaemon(true);
        thread.start();
    }
}
