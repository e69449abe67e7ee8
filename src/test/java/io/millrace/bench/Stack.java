package io.millrace.bench;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
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
    static final int SLOTS = 500;
    /** Shorter than the default of 10 s: a {@link Drain} begins with a heartbeat. Nothing else here runs for so long. */
    static final String HEARTBEAT = "2s";

    private static final Duration IDLE_LIMIT = Duration.ofMinutes(3);
    private static final List<String> NONE_LEFT = List.of(":0", ":0");
    /** A look at each of the three small indexes. */
    private static final String NONE_OPEN = "select not exists (select from job where phase = 0 and queue = '%1$s')"
            + " and not exists (select from job where phase = 1 and dispatched_at is null and queue = '%1$s')"
            + " and not exists (select from job where phase = 1 and dispatched_at is not null and queue = '%1$s')";
    private static final int ROWS_A_FETCH = 10_000;

    private final Path folder;
    private final Path data;
    private final LocalServers.Running servers;
    private final Deque<App> apps = new ArrayDeque<>();
    private final Connection database;
    private final long postmaster;
    private final long redis;
    private App api;
    private App worker;
    private String unreadQueue;
    private int unreadQueues;
    private boolean isClosed;

    private Stack(Path folder) throws IOException, SQLException {
        this.folder = folder;
        data = Files.createTempDirectory(folder, "servers-");
        Runtime.getRuntime().addShutdownHook(new Thread(this::close, "stop"));
        servers = LocalServers.find().orElseThrow().start(data);
        database = TestServers.connect(servers.databaseUrl());
        execute("set enable_seqscan = off"); // it looks at a table that was full a moment ago and counts as empty
        postmaster = ProcessHandle.of(Long.parseLong(ask("select pg_backend_pid()"))).orElseThrow().parent().orElseThrow()
                .pid();
        redis = Long.parseLong(redisInfo("process_id"));
    }

    /** @param folder for logs, and for the data of the servers, which is deleted at the end */
    static Stack start(Path folder) throws IOException, SQLException {
        Stack stack = new Stack(folder);
        stack.api = stack.launch("api", "api", Map.of());
        stack.worker = stack.launchWorker("worker", QUEUE, SLOTS);
        return stack;
    }

    /** One more worker; whoever starts it closes it, or {@link #close} does. */
    App launchWorker(String name, String queue, int slots) throws IOException {
        return launch(name, "worker", Map.of("MILLRACE_QUEUES", queue, "MILLRACE_WORKER_SLOTS", Integer.toString(slots),
                "MILLRACE_LEASE_HEARTBEAT", HEARTBEAT));
    }

    App api() {
        return api;
    }

    App worker() {
        return worker;
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
        long fullPages = fullPages();
        Cpu cpu = cpu();
        long start = System.nanoTime();
        long jobs = work.call();
        double seconds = (System.nanoTime() - start) / 1e9;
        return new Sample(jobs, seconds, cpu().minus(cpu), walPosition() - wal, fullPages() - fullPages);
    }

    /** @return the first column of the first row, as text */
    String ask(String sql) throws SQLException {
        try (Statement statement = database.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        }
    }

    boolean isTrue(String sql) throws SQLException {
        return "t".equals(ask(sql));
    }

    void execute(String sql) throws SQLException {
        try (Statement statement = database.createStatement()) {
            statement.execute(sql);
        }
    }

    /**
     * Compares the ids that were answered with those that are stored: their number and their hash.
     *
     * @param where what the row of each job must look like by now
     * @throws IllegalStateException if they differ
     */
    void verify(String what, IdHash handedIn, String where) throws SQLException {
        IdHash found = new IdHash();
        database.setAutoCommit(false); // otherwise the driver would take all rows into memory first
        try (Statement statement = database.createStatement()) {
            statement.execute("set local enable_seqscan = on");
            statement.setFetchSize(ROWS_A_FETCH);
            try (ResultSet rows = statement.executeQuery("select id from job where " + where)) {
                while (rows.next()) {
                    found.add(rows.getObject(1, UUID.class));
                }
            }
        } finally {
            database.rollback();
            database.setAutoCommit(true);
        }
        if (!found.isSame(handedIn)) {
            throw new IllegalStateException(what + ": handed in were " + handedIn + ", with " + where + " are " + found);
        }
    }

    /** @return the name of a new queue, which nobody reads; its stream is gone with the next {@link #empty} */
    String unreadQueue() {
        unreadQueue = "unread-" + ++unreadQueues;
        return unreadQueue;
    }

    /**
     * The same start for everything: no jobs, and a checkpoint, so that the next one, with its full-page images, comes after more
     * WAL than most of what is measured writes.
     */
    void empty() throws SQLException {
        awaitIdle();
        execute("truncate job, job_attempt, job_artifact");
        execute("checkpoint");
        if (unreadQueue != null) {
            PlainRedis.ask(redisUrl(), "UNLINK {" + unreadQueue + "}:normal");
        }
    }

    /** Waits until every job of the worker's queue has ended and its entry is deleted. */
    void awaitIdle() {
        awaitIdle(QUEUE);
    }

    void awaitIdle(String queue) {
        String noneOpen = NONE_OPEN.formatted(queue);
        await().atMost(IDLE_LIMIT).until(() -> PlainRedis.ask(redisUrl(), "XLEN {" + queue + "}:high",
                "XLEN {" + queue + "}:normal").equals(NONE_LEFT) && isTrue(noneOpen));
    }

    static ConditionFactory await() {
        return Awaitility.await().pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(25));
    }

    String redisInfo(String field) {
        return PlainRedis.ask(redisUrl(), "INFO everything").stream().filter(line -> line.startsWith(field + ":"))
                .map(line -> line.substring(field.length() + 1)).findFirst().orElseThrow();
    }

    Cpu cpu() {
        return Cpu.now(api.pid(), worker.pid(), postmaster, redis);
    }

    /** Millrace first, so that nobody misses a server that is stopped. */
    @Override
    public synchronized void close() {
        if (isClosed) {
            return;
        }
        isClosed = true;
        apps.forEach(App::close);
        if (servers != null) {
            servers.close();
        }
        try (Stream<Path> paths = Files.walk(data)) {
            paths.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private App launch(String name, String mode, Map<String, String> settings) throws IOException {
        Map<String, String> all = new HashMap<>(settings);
        all.put("MILLRACE_MODE", mode);
        all.put("MILLRACE_DATABASE_URL", databaseUrl());
        all.put("MILLRACE_REDIS_URL", redisUrl());
        App app = App.start(all, folder.resolve(name + ".log"));
        apps.push(app);
        return app;
    }

    private long fullPages() throws SQLException {
        return Long.parseLong(ask("select wal_fpi from pg_stat_wal"));
    }

    private long walPosition() throws SQLException {
        return Long.parseLong(ask("select pg_current_wal_insert_lsn() - '0/0'::pg_lsn"));
    }
}
