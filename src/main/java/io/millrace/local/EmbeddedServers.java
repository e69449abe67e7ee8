package io.millrace.local;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/**
 * Runs the real servers from binaries in the jars. The binaries are unpacked once per user, below {@code ~/.cache/millrace} or
 * where the system property {@code millrace.local.cache} or the variable {@code MILLRACE_LOCAL_CACHE} says; where that cannot
 * be used, into the folder of the servers.
 */
public final class EmbeddedServers implements LocalServers {

    private final Optional<Path> chosenCache;

    public EmbeddedServers() {
        this(Optional.ofNullable(System.getProperty("millrace.local.cache", System.getenv("MILLRACE_LOCAL_CACHE")))
                .map(Path::of));
    }

    EmbeddedServers(Optional<Path> chosenCache) {
        this.chosenCache = chosenCache;
    }

    @Override
    public boolean isAvailable() {
        return Binaries.arePresent();
    }

    @Override
    public Running start(Path folder) {
        Opening opening = new Opening();
        try {
            return start(realPath(folder), opening);
        } catch (IOException e) {
            opening.close();
            throw new LocalServersException("cannot start PostgreSQL and Redis in " + folder + ": " + e, e);
        } catch (RuntimeException e) {
            opening.close();
            throw e;
        }
    }

    private Running start(Path folder, Opening opening) throws IOException {
        FolderLock lock = FolderLock.take(folder);
        opening.onClose(lock::release);
        ServerUser user = ServerUser.choose();
        user.letEnter(folder);
        Binaries binaries = new Binaries(cache(folder, user));

        EmbeddedPostgres postgres = new EmbeddedPostgres(binaries.postgres(), folder.resolve("postgres"), user);
        opening.onClose(postgres::stop);
        postgres.start();
        EmbeddedRedis redis = new EmbeddedRedis(binaries.redis(), folder.resolve("redis"));
        opening.onClose(redis::stop);
        redis.start();

        lock.publish(postgres.url(), redis.url());
        return new Started(postgres.url(), redis.url(), opening);
    }

    private Path cache(Path folder, ServerUser user) throws IOException {
        Path cache = chosenCache.orElseGet(() -> Path.of(System.getProperty("user.home"), ".cache", "millrace"));
        try {
            Path real = realPath(cache);
            if (Files.isWritable(real) && user.canEnter(real)) {
                return real;
            }
        } catch (IOException noHome) {
            // as for a user without a home: the folder will do
        }
        Path besideTheData = realPath(folder.resolve("binaries"));
        user.letEnter(besideTheData);
        return besideTheData;
    }

    /** Both servers report the real path of their data, and adoption compares it. */
    private static Path realPath(Path folder) throws IOException {
        // createDirectories refuses a link to a directory on Java 17
        return (Files.isDirectory(folder) ? folder : Files.createDirectories(folder)).toRealPath();
    }

    private record Started(String databaseUrl, String redisUrl, Opening opening) implements Running {
        @Override
        public void close() {
            opening.close();
        }
    }

    /** What has been opened so far; closed newest first, whatever fails on the way. */
    private static final class Opening {
        private final Deque<Runnable> closings = new ArrayDeque<>();

        synchronized void onClose(Runnable closing) {
            closings.push(closing);
        }

        synchronized void close() {
            if (closings.isEmpty()) {
                return;
            }
            try {
                closings.pop().run();
            } finally {
                close();
            }
        }
    }
}
