package io.millrace.chaos.agent;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/**
 * The line to whoever conducts the faults. What was sent before the process dies arrives: it is in the other end's buffer by
 * then.
 */
final class Wire {
    private final OutputStream out;
    private final BufferedReader in;

    /** @throws IOException if nobody listens: a process that cannot be conducted is no test */
    Wire(int port, String name) throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setTcpNoDelay(true);
        out = socket.getOutputStream();
        in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
        tell("hello " + name);
        Thread listener = new Thread(this::listen, "chaos-wire");
        listener.setDaemon(true);
        listener.start();
    }

    synchronized void tell(String line) {
        try {
            out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
            out.flush();
        } catch (IOException e) {
            Runtime.getRuntime().halt(99); // the conductor is gone: nobody would stop this process
        }
    }

    private void listen() {
        try {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                Woven.command(line.split(" "));
            }
        } catch (IOException gone) {
            // as at the end of the stream
        }
        Runtime.getRuntime().halt(99);
    }
}
