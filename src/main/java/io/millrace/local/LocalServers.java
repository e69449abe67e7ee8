package io.millrace.local;

import java.nio.file.Path;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;

/**
 * A PostgreSQL and a Redis of one's own, for development, tests and a trial. The binaries are optional dependencies that the
 * production image leaves out, so the rest of Millrace sees this interface alone and asks {@link #find()}.
 */
public interface LocalServers {

    /** Two servers that answer. They outlive a killed JVM; the next start on the same folder adopts them. */
    interface Running extends AutoCloseable {

        /** {@code postgresql://user:password@127.0.0.1:port/database} */
        String databaseUrl();

        /** {@code redis://127.0.0.1:port} */
        String redisUrl();

        /** Stops both servers and frees the folder; the data stays. Takes 80 s at worst; a second call does nothing. */
        @Override
        void close();
    }

    /** Whether there are binaries for this operating system and processor, and the libraries to unpack them. */
    boolean isAvailable();

    /**
     * Starts both servers, or adopts those a killed process left running on this folder, and waits until they answer.
     *
     * @param folder keeps the data, the logs and {@code servers.env} (the two URLs); made if absent
     * @throws LocalServersException if another process has the folder, or a server does not start
     */
    Running start(Path folder);

    /** Empty in a build without the optional dependencies. */
    static Optional<LocalServers> find() {
        try {
            return ServiceLoader.load(LocalServers.class, LocalServers.class.getClassLoader()).stream()
                    .map(ServiceLoader.Provider::get)
                    .filter(LocalServers::isAvailable)
                    .findFirst();
        } catch (ServiceConfigurationError | LinkageError missingLibrary) {
            return Optional.empty();
        }
    }
}
