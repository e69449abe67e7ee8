package io.millrace.store;

import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.output.MigrateResult;

/** Brings the schema up to date. Several processes may start at once: Flyway takes a lock in PostgreSQL, the others wait. */
public final class Migrations {
    private Migrations() {}

    /**
     * @param url {@code postgresql://user:password@host:port/database}
     * @return how many migrations this call ran
     * @throws org.flywaydb.core.api.FlywayException if a migration that this version knows was changed, or the server refuses; a schema
     *         of a newer version is accepted, so that two versions can run side by side during an update
     */
    public static int run(String url) {
        DatabaseUrl database = DatabaseUrl.parse(url);
        MigrateResult result = Flyway.configure(Migrations.class.getClassLoader())
                .dataSource(database.jdbcUrl(), database.user(), database.password())
                .locations("classpath:db/migration")
                .connectRetries(0)
                .load().migrate();
        return result.migrationsExecuted;
    }
}
