package io.millrace.local;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/** One live process a folder. The operating system frees the lock when the process dies, however it dies. */
final class FolderLock {

    /**
     * Closing a second channel on the file would drop this JVM's own lock, so the file is not even opened twice. A system
     * property, because Quarkus loads this class more than once.
     */
    private static final String HELD_HERE = "io.millrace.local.held:";

    private final Path folder;
    private final FileChannel channel;

    private FolderLock(Path folder, FileChannel channel) {
        this.folder = folder;
        this.channel = channel;
    }

    /** @throws LocalServersException if the folder is taken; the message names the URLs to share */
    static FolderLock take(Path folder) throws IOException {
        if (System.getProperties().putIfAbsent(HELD_HERE + folder, "") != null) {
            throw taken(folder);
        }
        try {
            FileChannel channel = FileChannel.open(folder.resolve("lock"), CREATE, WRITE);
            if (channel.tryLock() == null) {
                channel.close();
                throw taken(folder);
            }
            return new FolderLock(folder, channel);
        } catch (IOException | RuntimeException e) {
            System.clearProperty(HELD_HERE + folder);
            throw e;
        }
    }

    /** Tells others how to share the servers; the file can be sourced by a shell. */
    void publish(String databaseUrl, String redisUrl) throws IOException {
        KeptFile.write(urls(folder), "MILLRACE_DATABASE_URL=" + databaseUrl + "\nMILLRACE_REDIS_URL=" + redisUrl + "\n");
    }

    void release() {
        try {
            Files.deleteIfExists(urls(folder));
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            System.clearProperty(HELD_HERE + folder);
        }
    }

    private static LocalServersException taken(Path folder) throws IOException {
        String urls = KeptFile.read(urls(folder)).map(lines -> ": " + lines.replace('\n', ' '))
                .orElse(" (in servers.env there, once they answer)");
        return new LocalServersException("Another process uses " + folder
                + ". Set MILLRACE_LOCAL_DIR to another folder, or share its servers by setting their URLs" + urls);
    }

    private static Path urls(Path folder) {
        return folder.resolve("servers.env");
    }
}
