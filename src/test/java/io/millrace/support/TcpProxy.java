package io.millrace.support;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** Stands between a client and a server, and can be out of order in the ways that networks are. */
public final class TcpProxy implements AutoCloseable {

    /** Where something goes. */
    public enum Direction {
        TO_SERVER, TO_CLIENT
    }

    private static final int BUFFER = 8_192;

    private final InetSocketAddress server;
    private final int port;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private final AtomicInteger repliesToSwallow = new AtomicInteger();
    private final Object gate = new Object();
    private Set<Direction> hanging = Set.of();
    private volatile Duration delay = Duration.ZERO;
    private ServerSocket listener;
    private Thread acceptor;

    public TcpProxy(URI server) {
        this.server = new InetSocketAddress(server.getHost(), server.getPort());
        listen(0);
        this.port = listener.getLocalPort();
    }

    /** @return the URL of the server, by way of this proxy */
    public String through(String url) {
        URI uri = URI.create(url);
        String user = uri.getRawUserInfo() == null ? "" : uri.getRawUserInfo() + "@";
        return uri.getScheme() + "://" + user + "127.0.0.1:" + port + uri.getPath();
    }

    /** Connections break and new ones are refused, as if the server had died. */
    public synchronized void cut() {
        close(listener);
        try {
            acceptor.join(); // until it has left accept(), the port is taken
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        sockets.forEach(TcpProxy::close);
        sockets.clear();
    }

    /** Connections stay and nothing comes through, as if a cable were unplugged. */
    public void hang() {
        hang(Direction.TO_SERVER, Direction.TO_CLIENT);
    }

    /** The same in one direction, as if a firewall had forgotten the connections. */
    public void hang(Direction... directions) {
        synchronized (gate) {
            hanging = Set.of(directions);
        }
    }

    /** Each of the next {@code count} requests reaches the server; instead of its answer the client gets a broken connection. */
    public void swallowReplies(int count) {
        repliesToSwallow.set(count);
    }

    /** Everything arrives so much later. */
    public void delay(Duration each) {
        delay = each;
    }

    /** All is well again; what hung arrives now. */
    public synchronized void resume() {
        repliesToSwallow.set(0);
        delay = Duration.ZERO;
        openGate();
        if (listener.isClosed()) {
            listen(port);
        }
    }

    @Override
    public void close() {
        openGate();
        cut();
    }

    private void openGate() {
        synchronized (gate) {
            hanging = Set.of();
            gate.notifyAll();
        }
    }

    private void listen(int wanted) {
        try {
            listener = new ServerSocket();
            listener.setReuseAddress(true);
            listener.bind(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), wanted));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        ServerSocket open = listener;
        acceptor = start("accept", () -> {
            while (true) {
                connect(open.accept());
            }
        });
    }

    private void connect(Socket client) throws IOException {
        Socket upstream = new Socket();
        sockets.add(client);
        sockets.add(upstream);
        try {
            upstream.connect(server);
        } catch (IOException e) {
            close(client);
            return;
        }
        AtomicBoolean isDoomed = new AtomicBoolean();
        start("to-server", () -> pump(client, upstream, Direction.TO_SERVER, isDoomed));
        start("to-client", () -> pump(upstream, client, Direction.TO_CLIENT, isDoomed));
    }

    /** @param isDoomed the next answer on this connection is swallowed, and the connection broken */
    private void pump(Socket from, Socket to, Direction direction, AtomicBoolean isDoomed) throws IOException {
        try (from; to; InputStream in = from.getInputStream(); OutputStream out = to.getOutputStream()) {
            byte[] buffer = new byte[BUFFER];
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                LockSupport.parkNanos(delay.toNanos());
                awaitGate(direction);
                if (direction == Direction.TO_SERVER && repliesToSwallow.getAndUpdate(n -> Math.max(0, n - 1)) > 0) {
                    isDoomed.set(true);
                } else if (direction == Direction.TO_CLIENT && isDoomed.get()) {
                    to.setSoLinger(true, 0); // closed by a reset, not by an orderly end
                    return;
                }
                out.write(buffer, 0, read);
            }
        } finally {
            sockets.remove(from);
            sockets.remove(to);
        }
    }

    private void awaitGate(Direction direction) throws IOException {
        synchronized (gate) {
            while (hanging.contains(direction)) {
                try {
                    gate.wait();
                } catch (InterruptedException e) {
                    throw new IOException(e);
                }
            }
        }
    }

    private interface Work {
        void run() throws IOException;
    }

    private static Thread start(String name, Work work) {
        Thread thread = new Thread(() -> {
            try {
                work.run();
            } catch (IOException closed) {
                // by cut(), or by one of the ends
            }
        }, "proxy-" + name);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    private static void close(Closeable socket) {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
