package io.millrace.support;

import static org.awaitility.Awaitility.await;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadLocalRandom;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;

/**
 * A mail server on the loopback interface that keeps every byte, and answers what it is told to: to a command, or the beginning of one,
 * to {@link #GREETING} and to {@link #MAIL}.
 */
public final class SmtpSink implements AutoCloseable {
    /** What is said to who has just connected. */
    public static final String GREETING = "(greeting)";
    /** What is said to a whole mail. One that is answered 2xx, or {@link #TAKE_AND_CUT}, is taken. */
    public static final String MAIL = "(mail)";

    /** Instead of an answer the connection is closed. */
    public static final String CUT = "(cut)";
    /** The mail is taken, and the connection closed before its sender knows. */
    public static final String TAKE_AND_CUT = "(take and cut)";
    /** There is no answer. */
    public static final String SILENCE = "(silence)";

    /**
     * @param bytes as they came, dots undone
     * @param isEncrypted true if they came over TLS
     */
    public record Mail(String from, List<String> recipients, byte[] bytes, boolean isEncrypted, Instant at) {

        public String text() {
            return new String(bytes, StandardCharsets.UTF_8);
        }

        /** @return the lines of the header, folded ones joined */
        public List<String> header() {
            return List.of(text().split("\r\n\r\n", 2)[0].replace("\r\n ", " ").split("\r\n"));
        }

        /** @return the names of the fields, in order */
        public List<String> fields() {
            return header().stream().map(line -> line.split(":", 2)[0]).toList();
        }

        /** @return its value; fails if there is not exactly one */
        public String field(String name) {
            List<String> found = header().stream().filter(line -> line.startsWith(name + ": ")).toList();
            if (found.size() != 1) {
                throw new IllegalStateException(found.size() + " fields " + name + " in\n" + text());
            }
            return found.get(0).substring(name.length() + 2);
        }
    }

    private final ServerSocket server;
    private final SSLContext tls;
    private final Map<String, String> answers = new ConcurrentSkipListMap<>((one, other) -> one.length() == other.length()
            ? one.compareTo(other)
            : other.length() - one.length());
    private final Map<String, Runnable> before = new ConcurrentHashMap<>();
    private final List<Mail> mails = new CopyOnWriteArrayList<>();
    private final List<String> commands = new CopyOnWriteArrayList<>();
    private final List<Instant> connections = new CopyOnWriteArrayList<>();
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();

    public SmtpSink() {
        this(0);
    }

    public SmtpSink(int port) {
        this(port, null);
    }

    /** @param tls to offer STARTTLS with; null for none */
    public SmtpSink(int port, SSLContext tls) {
        this.tls = tls;
        server = await().ignoreException(BindException.class).until(() -> listen(port), socket -> true);
        start(this::accept);
    }

    /** @throws BindException while the sink that listened there before is still being closed */
    private static ServerSocket listen(int port) throws IOException {
        ServerSocket socket = new ServerSocket();
        try {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), port));
            return socket;
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    /** @return one that is free, and below those that systems give to connections: it stays free while nobody listens there */
    public static int freePort() {
        for (int tries = 0; tries < 100; tries++) {
            int port = ThreadLocalRandom.current().nextInt(20_000, 32_000);
            try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getByName("127.0.0.1"))) {
                return socket.getLocalPort();
            } catch (IOException taken) {
                // another one
            }
        }
        throw new IllegalStateException("no port is free");
    }

    public int port() {
        return server.getLocalPort();
    }

    /** From now on; the longest beginning of a command that fits decides. @param reply without its line end, or one of the constants */
    public SmtpSink answer(String beginning, String reply) {
        answers.put(beginning, reply);
        return this;
    }

    /** Undoes {@link #answer}. */
    public void answerAsUsual(String beginning) {
        answers.remove(beginning);
    }

    /** Runs something before the answer is sent; for {@link #MAIL}, when the mail is taken already. */
    public void before(String beginning, Runnable action) {
        before.put(beginning, action);
    }

    public List<Mail> mails() {
        return List.copyOf(mails);
    }

    public List<Mail> mailsTo(String recipient) {
        return mails.stream().filter(mail -> mail.recipients().contains(recipient)).toList();
    }

    /** @return what was said to it, in order */
    public List<String> commands() {
        return List.copyOf(commands);
    }

    public List<Instant> connections() {
        return List.copyOf(connections);
    }

    @Override
    public void close() {
        try {
            server.close();
            for (Socket socket : open) {
                socket.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void start(Runnable work) {
        Thread thread = new Thread(work, "smtp-sink");
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket socket = server.accept();
                connections.add(Instant.now());
                open.add(socket);
                start(() -> serve(socket));
            } catch (IOException closed) {
                return;
            }
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            new Conversation(socket).run();
        } catch (IOException gone) {
            // the other side has hung up
        } finally {
            open.remove(socket);
        }
    }

    private String scripted(String said, String usual) {
        before.entrySet().stream().filter(entry -> said.startsWith(entry.getKey())).forEach(entry -> entry.getValue().run());
        return answers.entrySet().stream().filter(entry -> said.startsWith(entry.getKey())).map(Map.Entry::getValue).findFirst()
                .orElse(usual);
    }

    private final class Conversation {
        private Socket socket;
        private InputStream in;
        private String from;
        private final List<String> recipients = new ArrayList<>();

        Conversation(Socket socket) throws IOException {
            this.socket = socket;
            this.in = new BufferedInputStream(socket.getInputStream());
        }

        void run() throws IOException {
            boolean goesOn = say(scripted(GREETING, "220 sink ESMTP"));
            while (goesOn) {
                String line = readLine();
                if (line == null) {
                    return;
                }
                commands.add(line);
                goesOn = obey(line);
            }
        }

        private boolean obey(String line) throws IOException {
            String verb = line.split("[ :]")[0];
            return switch (verb) {
                case "EHLO" -> say(scripted(line, "250-sink\r\n" + (tls != null && !isEncrypted() ? "250-STARTTLS\r\n" : "")
                        + "250-AUTH PLAIN LOGIN\r\n250 8BITMIME"));
                case "STARTTLS" -> say(scripted(line, "220 go ahead")) && encrypt();
                case "AUTH" -> say(scripted(line, "235 welcome"));
                case "MAIL" -> {
                    recipients.clear();
                    from = address(line);
                    yield say(scripted(line, "250 sender ok"));
                }
                case "RCPT" -> {
                    String reply = scripted(line, "250 recipient ok");
                    if (reply.startsWith("2")) {
                        recipients.add(address(line));
                    }
                    yield say(reply);
                }
                case "DATA" -> {
                    String reply = scripted(line, recipients.isEmpty() ? "503 no recipients" : "354 go ahead");
                    yield say(reply) && (!reply.startsWith("3") || take());
                }
                case "RSET", "NOOP" -> say(scripted(line, "250 ok"));
                case "QUIT" -> say("221 bye") && false;
                default -> say(scripted(line, "502 not understood"));
            };
        }

        private boolean take() throws IOException {
            byte[] mail = readMail();
            String reply = answers.getOrDefault(MAIL, "250 taken");
            if (reply.startsWith("2") || reply.equals(TAKE_AND_CUT)) {
                mails.add(new Mail(from, List.copyOf(recipients), mail, isEncrypted(), Instant.now()));
            }
            return say(scripted(MAIL, "250 taken"));
        }

        private boolean say(String reply) throws IOException {
            switch (reply) {
                case SILENCE -> {
                    return true;
                }
                case CUT, TAKE_AND_CUT -> {
                    socket.close();
                    return false;
                }
                default -> {
                    socket.getOutputStream().write((reply + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
                    return true;
                }
            }
        }

        private boolean isEncrypted() {
            return socket instanceof SSLSocket;
        }

        private boolean encrypt() throws IOException {
            SSLSocket encrypted = (SSLSocket) tls.getSocketFactory().createSocket(socket, null, socket.getPort(), false);
            encrypted.setUseClientMode(false);
            encrypted.startHandshake();
            socket = encrypted;
            in = new BufferedInputStream(encrypted.getInputStream());
            return true;
        }

        /** @return null at the end of the stream. Only CR LF ends a line: what else is in it stays in it. */
        private String readLine() throws IOException {
            ByteArrayOutputStream line = new ByteArrayOutputStream();
            return readTo("\r\n", line) ? line.toString(StandardCharsets.UTF_8) : null;
        }

        private byte[] readMail() throws IOException {
            ByteArrayOutputStream mail = new ByteArrayOutputStream();
            mail.writeBytes("\r\n".getBytes(StandardCharsets.US_ASCII)); // so that a dot on the first line is one
            if (!readTo("\r\n.\r\n", mail)) {
                throw new IOException("the mail has no end");
            }
            String undotted = mail.toString(StandardCharsets.ISO_8859_1).replace("\r\n..", "\r\n.").substring(2);
            return (undotted + "\r\n").getBytes(StandardCharsets.ISO_8859_1);
        }

        /** @return false if the stream ended before; what ends it is left out */
        private boolean readTo(String end, ByteArrayOutputStream out) throws IOException {
            byte[] wanted = end.getBytes(StandardCharsets.US_ASCII);
            for (int next = in.read(); next >= 0; next = in.read()) {
                out.write(next);
                byte[] read = next == '\n' ? out.toByteArray() : new byte[0];
                int start = read.length - wanted.length;
                if (start >= 0 && Arrays.equals(read, start, read.length, wanted, 0, wanted.length)) {
                    out.reset();
                    out.write(read, 0, start);
                    return true;
                }
            }
            return false;
        }
    }

    private static String address(String line) {
        return line.substring(line.indexOf('<') + 1, line.indexOf('>'));
    }
}
