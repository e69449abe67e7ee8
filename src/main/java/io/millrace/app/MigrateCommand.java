package io.millrace.app;

import java.time.Duration;

/**
 * {@code migrate}: brings the schema of {@code MILLRACE_DATABASE_URL} up to date, and starts nothing. For processes that run with
 * {@code MILLRACE_MIGRATE=false}, whose user of PostgreSQL need not be allowed to change the schema.
 */
final class MigrateCommand {
    /** How to get another database than one that cannot be migrated. */
    static final String OTHER_DATABASE = "name an empty database";
    private static final String NAME = "migrate";

    private MigrateCommand() {}

    static boolean isMeant(String... args) {
        return args.length > 0 && args[0].equals(NAME);
    }

    /**
     * @return what was done
     * @throws StartFailure if PostgreSQL does not answer within the start's patience, or the schema cannot be brought up to date
     */
    static String run(String... args) {
        if (args.length > 1) {
            throw StartFailure.usage("migrate takes no arguments: set MILLRACE_DATABASE_URL");
        }
        String databaseUrl = Settings.requiredDatabaseUrl();
        Duration patience = Settings.startPatience();
        int[] count = new int[1];
        Preflight.patiently(patience, () -> count[0] = Preflight.migrate(databaseUrl, OTHER_DATABASE));
        return count[0] == 0 ? "the schema is up to date" : "the schema was brought up to date by " + count[0] + " migrations";
    }
}
