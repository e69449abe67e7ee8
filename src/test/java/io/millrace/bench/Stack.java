package io.millrace.bench;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.HttpURLConnection;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;

import io.millrace.local.LocalServers;
import io.millrace.support.PlainRedis;
import io.millrace.support.TestServers;

/**
 * What is measured: the packaged application as one process that accepts and one that works, on a PostgreSQL and a Redis of
 * their own. Also the look from outside: what is stored, and what it cost.
 */
final class Stack implements AutoCloseable {

    /** The queue that the worker reads. */
    static final String QUEUE = "default";
    /** As many as the worker's default. */
    static final int SLOTS = 256;

    private static final Path JAR = Path.of("target", "quarkus-app", "quarkus-run.jar");
    private static final Duration START_LIMIT = Duration.ofSeconds(60);
    private static final Duration STOP_LIMIT = Duration.ofSeconds(30);

    private static final int LOWEST_PORT = 20_000;
    private static final int HIGHEST_PORT = 32_000;

    private final Path data;
    private final LocalServers.Running servers;
    private final List<Process> processes = new ArrayList<>();
    private final Connection database;
    private final long postmaster;
    private final long redis;
    private final int apiPort = freePort();
    private boolean isClosed;

    private Stack(Path folder) throws IOException, SQLException {
        data = Files.createTempDirectory(folder, "servers-");
        Runtime.getRuntime().addShutdownHook(new Thread(this::close, "stop"));
        servers = LocalServers.find().orElseThrow().start(data);
        database = TestServers.connect(servers.databaseUrl());
        postmaster = ProcessHandle.of(Long.parseLong(ask("select pg_backend_pid()"))).orElseThrow().parent().orElseThrow()
                .pid();
        redis = Long.parseLong(redisInfo("process_id"));
    }

    static Stack start(Path folder) throws IOException, SQLException {
        Stack stack = new Stack(folder);
        stack.launch("api", stack.apiPort, folder);
        stack.launch("worker", freePort(), folder);
        return stack;
    }

    URI api() {
        return URI.create("http://127.0.0.1:" + apiPort);
    }

    String databaseUrl() {
        return servers.databaseUrl();
    }

    String redisUrl() {
        return servers.redisUrl();
    }

    /** Runs {@code work}, which answers how many jobs it did, and takes down what that cost. */
    Sample measure(Callable<Long> work) throws Exception {
        long wal = walPosition();
        Cpu cpu = cpu();
        long start = System.nanoTime();
        long jobs = work.call();
        double seconds = (System.nanoTime() - start) / 1e9;
        return new Sample(jobs, seconds, cpu().minus(cpu), walPosition() - wal);
    }

    /** @return the first column of the first row, as text */
    String ask(String sql) throws SQLException {
        try (Statement statement = database.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        }
    }

    /** @throws IllegalStateException if there are fewer jobs, or more, than were accepted */
    void check(String what, long expected, String count) throws SQLException {
        long found = Long.parseLong(ask(count));
        if (found != expected) {
            throw new IllegalStateException(what + ": " + expected + " jobs were handed in, the database has " + found);
        }
    }

    /** Waits until every job of the worker's queue has been settled and its entry deleted. */
    void awaitIdle() {
        await().atMost(Duration.ofSeconds(90)).until(
                () -> PlainRedis.ask(redisUrl(), "XLEN {" + QUEUE + "}:normal").contains(":0"));
    }

    static ConditionFactory await() {
        return Awaitility.await().pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(25));
    }

    String redisInfo(String field) {
        return PlainRedis.ask(redisUrl(), "INFO everything").stream().filter(line -> line.startsWith(field + ":"))
                .map(line -> line.substring(field.length() + 1)).findFirst().orElseThrow();
    }

    /** Millrace first, so that nobody misses a server that is stopped. */
    @Override
    public synchronized void close() {
        if (isClosed) {
            return;
        }
        isClosed = true;
        processes.forEach(Process::destroy);
        processes.forEach(Stack::awaitEnd);
        if (servers != null) {
            servers.close();
        }
        try (Stream<Path> paths = Files.walk(data)) {
            paths.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** {@code -Dbench.jvm} has further options for these JVMs, for example those of a flight recording. */
    private void launch(String mode, int httpPort, Path folder) throws IOException {
        int managementPort = freePort();
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        Stream.of(System.getProperty("bench.jvm", "").split(" ")).filter(option -> !option.isBlank()).forEach(command::add);
        command.addAll(List.of("-jar", JAR.toString()));
        Path log = folder.resolve(mode + ".log");
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("MILLRACE_"));
        builder.environment().put("MILLRACE_MODE", mode);
        builder.environment().put("MILLRACE_AUTH", "open");
        builder.environment().put("MILLRACE_DATABASE_URL", databaseUrl());
        builder.environment().put("MILLRACE_REDIS_URL", redisUrl());
        builder.environment().put("MILLRACE_HTTP_PORT", Integer.toString(httpPort));
        builder.environment().put("MILLRACE_MANAGEMENT_PORT", Integer.toString(managementPort));
        builder.environment().put("MILLRACE_QUEUES", QUEUE);
        builder.environment().put("MILLRACE_WORKER_SLOTS", Integer.toString(SLOTS));
        Process process = builder.start();
        processes.add(process);
        URI ready = URI.create("http://127.0.0.1:" + managementPort + "/q/health/ready");
        await().atMost(START_LIMIT).failFast("the " + mode + " ended: see " + log, () -> !process.isAlive())
                .until(() -> isReady(ready));
    }

    private static boolean isReady(URI health) {
        try {
            HttpURLConnection connection = (HttpURLConnection) health.toURL().openConnection();
            connection.setReadTimeout((int) START_LIMIT.toMillis());
            return connection.getResponseCode() == HttpURLConnection.HTTP_OK;
        } catch (IOException notYet) {
            return false;
        }
    }

    private static void awaitEnd(Process process) {
        try {
            if (!process.waitFor(STOP_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }

    private Cpu cpu() {
        return Cpu.now(processes.get(0).pid(), processes.get(1).pid(), postmaster, redis);
    }

    private long walPosition() throws SQLException {
        return Long.parseLong(ask("select pg_current_wal_insert_lsn() - '0/0'::pg_lsn"));
    }

    /** Below the ports that systems hand out for outgoing connections: one of ours could take it before the process does. */
    private static int freePort() throws IOException {
        while (true) {
            try (ServerSocket socket = new ServerSocket(ThreadLocalRandom.current().nextInt(LOWEST_PORT, HIGHEST_PORT))) {
                return socket.getLocalPort();
            } catch (BindException inUse) {
                // the next one, then
            }
        }
    }
}
