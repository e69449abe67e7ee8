package io.millrace.store;

import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.List;

import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.ResourceProvider;
import org.flywaydb.core.api.output.MigrateResult;
import org.flywaydb.core.api.resource.LoadableResource;

/** Brings the schema up to date. Several processes may start at once: Flyway takes a lock in PostgreSQL, the others wait. */
public final class Migrations {
    /** By name, because a native image has no folder to look into. In order; a test compares them with the folder. */
    static final List<String> FILES = List.of("V1__job.sql", "V2__accounts.sql", "V3__idempotency.sql", "V4__audit.sql",
            "V5__index_room.sql", "V6__dead_letters.sql");

    private static final String FOLDER = "db/migration/";

    private Migrations() {}

    /**
     * @param url {@code postgresql://user:password@host:port/database}
     * @return how many migrations this call ran
     * @throws org.flywaydb.core.api.FlywayException if a migration that this version knows was changed, or the server refuses; a schema
     *         of a newer version is accepted, so that two versions can run side by side during an update
     */
    public static int run(String url) {
        MigrateResult result = flyway(url).migrate();
        return result.migrationsExecuted;
    }

    /**
     * Looks, and changes nothing: reading the table of Flyway is all the right it takes.
     *
     * @param url {@code postgresql://user:password@host:port/database}
     * @return how many migrations that this version knows are still to be run; 0 also for a schema of a newer version
     * @throws org.flywaydb.core.api.FlywayException as {@link #run}
     */
    public static int countMissing(String url) {
        Flyway flyway = flyway(url);
        flyway.validate();
        return flyway.info().pending().length;
    }

    private static Flyway flyway(String url) {
        DatabaseUrl database = DatabaseUrl.parse(url);
        return Flyway.configure(Migrations.class.getClassLoader())
                .dataSource(database.jdbcUrl(), database.user(), database.password())
                .resourceProvider(new Files())
                .javaMigrationClassProvider(List::of) // without one, Flyway would search the class path for them
                .ignoreMigrationPatterns("*:future", "*:pending")
                .connectRetries(0)
                .load();
    }

    /** Gives Flyway our files, so that it searches nothing. */
    private static final class Files implements ResourceProvider {

        @Override
        public LoadableResource getResource(String name) {
            return FILES.contains(name) ? new File(name) : null;
        }

        @Override
        public Collection<LoadableResource> getResources(String prefix, String[] suffixes) {
            return FILES.stream().filter(name -> name.startsWith(prefix) && endsWithOneOf(name, suffixes))
                    .<LoadableResource>map(File::new).toList();
        }

        private static boolean endsWithOneOf(String name, String... suffixes) {
            return List.of(suffixes).stream().anyMatch(name::endsWith);
        }
    }

    private static final class File extends LoadableResource {
        private final String name;

        File(String name) {
            this.name = name;
        }

        @Override
        public Reader read() {
            return new InputStreamReader(Migrations.class.getResourceAsStream("/" + FOLDER + name), StandardCharsets.UTF_8);
        }

        @Override
        public String getAbsolutePath() {
            return FOLDER + name;
        }

        @Override
        public String getAbsolutePathOnDisk() {
            return FOLDER + name;
        }

        @Override
        public String getFilename() {
            return name;
        }

        @Override
        public String getRelativePath() {
            return name;
        }
    }
}
