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
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Stands between a client and a server, and can be out of order in the two ways that networks are. */
public final class TcpProxy implements AutoCloseable {

    private static final int BUFFER = 8_192;

    private final InetSocketAddress server;
    private final int port;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private final Object gate = new Object();
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
        return uri.getScheme() + "://127.0.0.1:" + port + uri.getPath();
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
        start("to-server", () -> pump(client, upstream));
        start("to-client", () -> pump(upstream, client));
    }

    private void pump(Socket from, Socket to) throws IOException {
        try (from; to; InputStream in = from.getInputStream(); OutputStream out = to.getOutputStream()) {
            byte[] buffer = new byte[BUFFER];
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                awaitGate();
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
