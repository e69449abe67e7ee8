package io.millrace.local;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Properties;

import org.postgresql.Driver;

/** One PostgreSQL on the loopback interface, with fsync and passwords on, in a folder of its own. */
final class EmbeddedPostgres {

    private static final String USER = "millrace";
    private static final String DATABASE = "millrace";
    private static final int PASSWORD_BYTES = 16;
    private static final String CONNECT_LIMIT_SECONDS = "5";
    private static final String STOP_LIMIT_SECONDS = "30";

    /** Room for several Millrace processes and a few psql; the buffers are PostgreSQL's small half. */
    private static final String SETTINGS = " -c listen_addresses=" + LoopbackPort.HOST
            + " -c unix_socket_directories= -c max_connections=200 -c shared_buffers=64MB";

    private final Path programs;
    private final Path folder;
    private final Path data;
    private final Path log;
    private final ServerUser user;
    private String password;
    private int port;

    EmbeddedPostgres(Path binaries, Path folder, ServerUser user) {
        this.programs = binaries.resolve("bin");
        this.folder = folder;
        this.data = folder.resolve("data");
        this.log = folder.resolve("server.log");
        this.user = user;
    }

    /** @throws LocalServersException with the end of the server's log */
    void start() throws IOException {
        Files.createDirectories(folder);
        password = password();
        if (!adopts()) {
            launch();
        }
        createDatabase();
    }

    String url() {
        return "postgresql://" + USER + ":" + password + "@" + LoopbackPort.HOST + ":" + port + "/" + DATABASE;
    }

    /** A fast shutdown cuts connections; if even that hangs, the immediate one leaves a replay to the next start. */
    void stop() {
        try {
            for (String mode : new String[]{"fast", "immediate"}) {
                if (process().isPresent()) {
                    run("pg_ctl", "stop", "-D", data.toString(), "-m", mode, "-t", STOP_LIMIT_SECONDS);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String password() throws IOException {
        Path file = folder.resolve("password");
        if (KeptFile.read(file).isEmpty()) {
            byte[] random = new byte[PASSWORD_BYTES];
            new SecureRandom().nextBytes(random);
            KeptFile.write(file, HexFormat.of().formatHex(random));
        }
        return KeptFile.read(file).orElseThrow();
    }

    /** False if none was left running, or it was just ending. */
    private boolean adopts() throws IOException {
        Optional<ProcessHandle> left = process();
        if (left.isEmpty()) {
            return false;
        }
        port = LoopbackPort.last(portFile()).orElseThrow();
        if (ServerProcess.awaitReady(left.get(), this::answersForThisData)) {
            return true;
        }
        if (ServerProcess.isRunning(left.get())) {
            throw failed("the PostgreSQL left running (pid " + left.get().pid() + ") does not answer");
        }
        return false;
    }

    private void launch() throws IOException {
        Files.writeString(log, ""); // must exist now: the server's user adds to it, and we may be root
        user.own(folder);
        if (!Files.exists(data)) {
            initialise();
        }
        // Its process is gone or another program: PostgreSQL would refuse to start if that program is also ours.
        Files.deleteIfExists(pidFile());
        port = LoopbackPort.choose(portFile());
        // pg_ctl gives the server a session of its own: Ctrl-C in the terminal does not reach it.
        if (run("pg_ctl", "start", "-D", data.toString(), "-l", log.toString(), "-o", "-p " + port + SETTINGS) != 0) {
            throw failed("PostgreSQL does not start");
        }
    }

    /** Beside its place, then moved: a process killed half-way leaves nothing that looks finished. */
    private void initialise() throws IOException {
        Path unfinished = folder.resolve("data.unfinished");
        FileTree.delete(unfinished);
        int exit = run("initdb", "-D", unfinished.toString(), "--username=" + USER,
                "--pwfile=" + folder.resolve("password"), "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C",
                "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions");
        if (exit != 0) {
            throw failed("initdb failed");
        }
        Files.move(unfinished, data, StandardCopyOption.ATOMIC_MOVE);
    }

    private void createDatabase() throws IOException {
        try (Connection connection = connect(); Statement statement = connection.createStatement()) {
            try (ResultSet found = statement.executeQuery("SELECT FROM pg_database WHERE datname = '" + DATABASE + "'")) {
                if (found.next()) {
                    return;
                }
            }
            statement.execute("CREATE DATABASE " + DATABASE);
        } catch (SQLException e) {
            throw new IOException("cannot create database " + DATABASE, e);
        }
    }

    private boolean answersForThisData() {
        try (Connection connection = connect();
                Statement statement = connection.createStatement();
                ResultSet setting = statement.executeQuery("SHOW data_directory")) {
            return setting.next() && data.equals(Path.of(setting.getString(1)));
        } catch (SQLException notYet) {
            return false;
        }
    }

    private Connection connect() throws SQLException {
        Properties login = new Properties();
        login.setProperty("user", USER);
        login.setProperty("password", password);
        login.setProperty("loginTimeout", CONNECT_LIMIT_SECONDS);
        // Not through DriverManager, which knows only the drivers of its caller's class loader.
        return new Driver().connect("jdbc:postgresql://" + LoopbackPort.HOST + ":" + port + "/postgres", login);
    }

    private Optional<ProcessHandle> process() throws IOException {
        return ServerProcess.find(pidFile(), data.toString());
    }

    private int run(String program, String... arguments) throws IOException {
        return Command.run(user.command(programs.resolve(program), arguments), log);
    }

    private LocalServersException failed(String what) throws IOException {
        return new LocalServersException(what + "; " + log + " ends with\n" + Command.lastLines(log));
    }

    private Path pidFile() {
        return data.resolve("postmaster.pid");
    }

    private Path portFile() {
        return folder.resolve("port");
    }
}
