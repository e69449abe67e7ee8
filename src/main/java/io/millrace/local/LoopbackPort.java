package io.millrace.local;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.Optional;

/** The port a server had last time, so that URLs stay good between runs. */
final class LoopbackPort {

    static final String HOST = "127.0.0.1";

    private LoopbackPort() {}

    static Optional<Integer> last(Path file) throws IOException {
        return KeptFile.read(file).map(Integer::valueOf);
    }

    /** The last port if it is free, else another, which is the one to use from now on. */
    static int choose(Path file) throws IOException {
        Optional<Integer> last = last(file);
        if (last.isPresent() && isFree(last.get())) {
            return last.get();
        }
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName(HOST))) {
            KeptFile.write(file, String.valueOf(socket.getLocalPort()));
            return socket.getLocalPort();
        }
    }

    private static boolean isFree(int port) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true); // as both servers do: a connection that lingers in TIME_WAIT is no obstacle
            socket.bind(new InetSocketAddress(HOST, port));
            return true;
        } catch (IOException taken) {
            return false;
        }
    }
}
