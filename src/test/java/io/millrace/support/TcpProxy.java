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
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;

/** Stands between a client and a server, and can be out of order in the ways that networks are. */
public final class TcpProxy implements AutoCloseable {

    private static final int BUFFER = 65_536;

    private enum Part {
        REQUEST, REPLY
    }

    private record Loss(String text, Part part) {}

    private final InetSocketAddress server;
    private final int port;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private final Object gate = new Object();
    private final AtomicReference<Loss> armed = new AtomicReference<>();
    private boolean isHanging;
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

    /** The connection on which a request with this text comes next is reset before the server gets the request. */
    public void loseRequest(String text) {
        armed.set(new Loss(text, Part.REQUEST));
    }

    /**
     * The connection on which a request with this text comes next is reset once the server has answered, and the answer is lost.
     * For requests that arrive in one piece, and answers that are sent once the work is done: PostgreSQL sends small ones so.
     */
    public void loseReply(String text) {
        armed.set(new Loss(text, Part.REPLY));
    }

    /** @return true if what was to be lost is lost */
    public boolean hasLost() {
        return armed.get() == null;
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
        synchronized (gate) {
            isHanging = true;
        }
    }

    /** All is well again; what hung arrives now. */
    public synchronized void resume() {
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
            isHanging = false;
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
        AtomicBoolean isReplyLost = new AtomicBoolean();
        start("to-server", () -> pump(client, upstream, piece -> {
            Loss loss = armed.get();
            if (loss == null || !piece.contains(loss.text()) || !armed.compareAndSet(loss, null)) {
                return true;
            }
            isReplyLost.set(loss.part() == Part.REPLY);
            return isReplyLost.get() || reset(client);
        }));
        start("to-client", () -> pump(upstream, client, piece -> !isReplyLost.get() || reset(client)));
    }

    /** @return false: nothing more goes through */
    private static boolean reset(Socket client) {
        try {
            client.setSoLinger(true, 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return false;
    }

    private void pump(Socket from, Socket to, Predicate<String> passes) throws IOException {
        try (from; to; InputStream in = from.getInputStream(); OutputStream out = to.getOutputStream()) {
            byte[] buffer = new byte[BUFFER];
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                awaitGate();
                if (!passes.test(new String(buffer, 0, read, StandardCharsets.ISO_8859_1))) {
                    return;
                }
                out.write(buffer, 0, read);
            }
        } finally {
            sockets.remove(from);
            sockets.remove(to);
        }
    }

    private void awaitGate() throws IOException {
        synchronized (gate) {
            while (isHanging) {
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
