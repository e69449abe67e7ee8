package io.millrace.local;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * A PostgreSQL and a Redis of one's own, as {@link EmbeddedServers} starts them, that can be killed, stopped, started again on the
 * same data and port, and, for Redis, set back in time.
 */
public final class FaultyServers implements AutoCloseable {
    private static final Duration RESTART_LIMIT = Duration.ofSeconds(60);
    private static final Duration RETRY = Duration.ofMillis(200);

    private final Path folder;
    private final ServerUser user;
    private final Binaries binaries;
    private EmbeddedPostgres postgres;
    private EmbeddedRedis redis;
    private boolean isClosed;

    /** @param folder for data, binaries and logs; what was there is deleted, and what is there at the end is left behind */
    public FaultyServers(Path folder) throws IOException {
        FileTree.delete(folder);
        this.folder = Files.createDirectories(folder).toRealPath();
        user = ServerUser.choose();
        user.letEnter(this.folder);
        Path home = Files.createDirectories(Path.of(System.getProperty("user.home"), ".cache", "millrace")).toRealPath();
        Path beside = Files.createDirectories(this.folder.resolve("binaries"));
        if (!user.canEnter(home)) {
            user.letEnter(beside);
        }
        binaries = new Binaries(user.canEnter(home) ? home : beside);
        Runtime.getRuntime().addShutdownHook(new Thread(this::close, "stop-servers"));
        startPostgres();
        startRedis();
    }

    public String databaseUrl() {
        return postgres.url();
    }

    public String redisUrl() {
        return redis.url();
    }

    /** Ends it and all of its children without asking; nothing is flushed but what was committed. */
    public void killPostgres() {
        List<ProcessHandle> all = postgresProcesses();
        all.forEach(ProcessHandle::destroyForcibly);
        awaitGone(all);
    }

    public void killRedis() {
        List<ProcessHandle> all = redisProcess();
        all.forEach(ProcessHandle::destroyForcibly);
        awaitGone(all);
    }

    /** After a kill. The children of a killed server take a moment to end, and until then it refuses to start. */
    public void startPostgres() {
        postgres = again(() -> {
            EmbeddedPostgres next = new EmbeddedPostgres(binaries.postgres(), folder.resolve("postgres"), user);
            next.start();
            return next;
        });
    }

    public void startRedis() {
        redis = again(() -> {
            EmbeddedRedis next = new EmbeddedRedis(binaries.redis(), folder.resolve("redis"));
            next.start();
            return next;
        });
    }

    /** All of its processes stand still, as on a machine that was suspended. */
    public void pausePostgres() {
        signal("STOP", postgresProcesses());
    }

    public void resumePostgres() {
        signal("CONT", postgresProcesses());
    }

    public void pauseRedis() {
        signal("STOP", redisProcess());
    }

    public void resumeRedis() {
        signal("CONT", redisProcess());
    }

    /** Keeps what Redis has on disk now, for {@link #rollBackRedis}. */
    public void copyRedis() throws IOException {
        copy(folder.resolve("redis").resolve("appendonlydir"), folder.resolve("redis-copy"));
    }

    /** Kills Redis and starts it with what it had at the last {@link #copyRedis}. */
    public void rollBackRedis() throws IOException {
        killRedis();
        Path kept = folder.resolve("redis-copy");
        if (Files.exists(kept)) {
            copy(kept, folder.resolve("redis").resolve("appendonlydir"));
        }
        startRedis();
    }

    /** @param name STOP, CONT, TERM or KILL */
    public static void signal(String name, List<ProcessHandle> processes) {
        List<String> command = new ArrayList<>(List.of("kill", "-" + name));
        processes.forEach(process -> command.add(Long.toString(process.pid())));
        if (!processes.isEmpty()) {
            Command.succeeds(command); // one that has just ended is no failure
        }
    }

    /** Stops both; also done when this process ends. */
    @Override
    public synchronized void close() {
        if (isClosed) {
            return;
        }
        isClosed = true;
        resumePostgres();
        resumeRedis();
        if (redis != null) {
            redis.stop();
        }
        if (postgres != null) {
            postgres.stop();
        }
    }

    private List<ProcessHandle> postgresProcesses() {
        try {
            Path data = folder.resolve("postgres").resolve("data");
            Optional<ProcessHandle> postmaster = ServerProcess.find(data.resolve("postmaster.pid"), data.toString());
            return postmaster.stream().flatMap(process -> Stream.concat(Stream.of(process), process.descendants())).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private List<ProcessHandle> redisProcess() {
        try {
            return ServerProcess.find(folder.resolve("redis").resolve("redis.pid"), "redis-server").stream().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void awaitGone(List<ProcessHandle> processes) {
        long deadline = System.nanoTime() + RESTART_LIMIT.toNanos();
        while (processes.stream().anyMatch(ServerProcess::isRunning) && System.nanoTime() < deadline) {
            LockSupport.parkNanos(Duration.ofMillis(5).toNanos());
        }
    }

    private interface Start<T> {
        T start() throws IOException;
    }

    private static <T> T again(Start<T> start) {
        long deadline = System.nanoTime() + RESTART_LIMIT.toNanos();
        while (true) {
            try {
                return start.start();
            } catch (IOException | LocalServersException e) {
                if (System.nanoTime() - deadline > 0) {
                    throw new IllegalStateException("the server does not start again", e);
                }
                LockSupport.parkNanos(RETRY.toNanos());
            }
        }
    }

    /** Files of a running server may go while they are copied: those are not part of the copy. */
    private static void copy(Path from, Path to) throws IOException {
        FileTree.delete(to);
        Files.createDirectories(to);
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                try {
                    Files.copy(file, to.resolve(file.getFileName()));
                } catch (NoSuchFileException gone) {
                    // rewritten meanwhile
                }
            }
        }
    }
}
