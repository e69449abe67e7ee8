package io.millrace.support;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

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
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/** Stands between a client and a server, and can be out of order in the ways that networks are. */
public final class TcpProxy implements AutoCloseable {

    private static final int BUFFER = 65_536;

    /** The way that bytes go. */
    public enum Way {
        TO_SERVER, TO_CLIENT
    }

    /** @param way the request or its reply */
    private record Loss(String text, Way way) {}

    /** One connection: its two sockets, and what has become of it. */
    private static final class Link {
        private final Socket client;
        private final Socket upstream = new Socket();
        private volatile boolean isStranded;
        private volatile boolean losesReply;

        private Link(Socket client) {
            this.client = client;
        }

        private void close() {
            TcpProxy.close(client);
            TcpProxy.close(upstream);
        }
    }

    private final int port;
    private final Set<Link> links = ConcurrentHashMap.newKeySet();
    private final Object gate = new Object();
    private final Set<Way> hanging = EnumSet.noneOf(Way.class);
    private final AtomicReference<Loss> toLose = new AtomicReference<>();
    private final AtomicInteger anyToLose = new AtomicInteger();
    private final AtomicInteger lostReplies = new AtomicInteger();
    private volatile Duration delay = Duration.ZERO;
    private volatile InetSocketAddress server;
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
        links.forEach(Link::close);
        links.clear();
    }

    /** Connections stay and nothing comes through, as if a cable were unplugged. */
    public void hang() {
        hang(Way.TO_SERVER);
        hang(Way.TO_CLIENT);
    }

    /** Connections stay, and nothing comes through on one way. */
    public void hang(Way way) {
        synchronized (gate) {
            hanging.add(way);
        }
    }

    /** The connections of now lead nowhere and nobody is told, as if a firewall had forgotten them; new ones work. */
    public void strand() {
        links.forEach(link -> link.isStranded = true);
    }

    /** New connections lead to another server; those of now stay with the old one. */
    public void leadTo(URI other) {
        server = new InetSocketAddress(other.getHost(), other.getPort());
    }

    /** The connection on which a request with this text comes next is reset before the server gets the request. */
    public void loseRequest(String text) {
        toLose.set(new Loss(text, Way.TO_SERVER));
    }

    /**
     * The server gets the next request that contains the text, and its reply is lost: the connection is reset instead. For
     * requests that arrive in one piece, and replies that are sent once the work is done: PostgreSQL sends small ones so.
     */
    public void loseReply(String text) {
        toLose.set(new Loss(text, Way.TO_CLIENT));
    }

    /** @return true if the request that was to be lost, or whose reply was, has been sent */
    public boolean hasLost() {
        return toLose.get() == null;
    }

    /** The replies to the next {@code count} requests are lost, whatever they are. */
    public void loseReplies(int count) {
        anyToLose.set(count);
    }

    public int lostReplies() {
        return lostReplies.get();
    }

    /** Everything arrives so much later. */
    public void delay(Duration each) {
        delay = each;
    }

    /** All is well again; what hung arrives now. */
    public synchronized void resume() {
        anyToLose.set(0);
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
            hanging.clear();
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
        Link link = new Link(client);
        links.add(link);
        try {
            link.upstream.connect(server);
        } catch (IOException e) {
            close(client);
            return;
        }
        start("to-server", () -> pump(link, client, link.upstream, Way.TO_SERVER));
        start("to-client", () -> pump(link, link.upstream, client, Way.TO_CLIENT));
    }

    private void pump(Link link, Socket from, Socket to, Way way) throws IOException {
        try (from; to; InputStream in = from.getInputStream(); OutputStream out = to.getOutputStream()) {
            byte[] buffer = new byte[BUFFER];
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                LockSupport.parkNanos(delay.toNanos());
                awaitGate(way);
                if (way == Way.TO_CLIENT && link.losesReply) {
                    lostReplies.incrementAndGet();
                    reset(from, to);
                    return;
                }
                if (way == Way.TO_SERVER && isToBeLost(link, new String(buffer, 0, read, ISO_8859_1))) {
                    reset(from, to);
                    return;
                }
                if (!link.isStranded) {
                    out.write(buffer, 0, read);
                }
            }
        } finally {
            links.remove(link);
        }
    }

    /** Marks the link if it is the reply that is to be lost. @return true if it is the request */
    private boolean isToBeLost(Link link, String request) {
        Loss loss = toLose.get();
        if (loss != null && request.contains(loss.text()) && toLose.compareAndSet(loss, null)) {
            link.losesReply = loss.way() == Way.TO_CLIENT;
            return loss.way() == Way.TO_SERVER;
        }
        link.losesReply |= anyToLose.getAndUpdate(left -> Math.max(0, left - 1)) > 0;
        return false;
    }

    private static void reset(Socket... sockets) throws IOException {
        for (Socket socket : sockets) {
            socket.setSoLinger(true, 0);
        }
    }

    private void awaitGate(Way way) throws IOException {
        synchronized (gate) {
            while (hanging.contains(way)) {
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
