package io.millrace.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;

import org.awaitility.Awaitility;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import io.millrace.support.MillraceProcess;
import io.millrace.support.TestServers;

/** The schema is brought up to date by a command, and the processes wait for it. */
@Timeout(120)
@DisplayNameGeneration(ReplaceUnderscores.class)
class MigrateIT {
    private static final int USAGE = 2;
    private static final int ENVIRONMENT = 1;

    private final String database = TestServers.freshDatabase();

    private Map<String, String> waiting(String patience) {
        return Map.of("MILLRACE_DATABASE_URL", database, "MILLRACE_REDIS_URL", TestServers.freshRedis(),
                "MILLRACE_MIGRATE", "false", "MILLRACE_START_PATIENCE", patience);
    }

    private String migrate() {
        try (MillraceProcess command = MillraceProcess.command(Map.of("MILLRACE_DATABASE_URL", database), "migrate")) {
            assertThat(command.awaitExit()).as(command.errors()).isZero();
            assertThat(command.errors()).isEmpty();
            return command.output();
        }
    }

    @Test
    void a_process_that_does_not_migrate_starts_when_the_command_has_run() {
        try (MillraceProcess process = MillraceProcess.start(waiting("60s"))) {
            Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> process.errors().contains("lacks")
                    || !process.isAlive());
            assertThat(process.errors()).contains("millrace waits", "migrations of this version", "migrate");

            assertThat(migrate()).contains("brought up to date by");
            process.awaitReady();
            for (String path : List.of("/q/health/live", "/q/health/ready", "/q/metrics")) { // what deploy/k8s asks for
                assertThat(process.management().get(path).status()).as(path).isEqualTo(200);
            }
            assertThat(migrate()).contains("the schema is up to date");
        }
    }

    @Test
    void it_gives_up_in_the_end_and_leaves_the_database_as_it_was() {
        try (MillraceProcess process = MillraceProcess.start(waiting("0s"))) {
            assertThat(process.awaitExit()).as(process.output()).isEqualTo(ENVIRONMENT);
            assertThat(process.errors().lines()).hasSize(1).first().asString().startsWith("millrace cannot start: ")
                    .contains("migrations of this version", "MILLRACE_MIGRATE");
        }
        assertThat(migrate()).contains("brought up to date by");
    }

    @Test
    void the_command_says_what_it_lacks() {
        assertSays(Map.of(), USAGE, "MILLRACE_DATABASE_URL is not set", "migrate");
        assertSays(Map.of("MILLRACE_DATABASE_URL", database), USAGE, "migrate takes no arguments", "migrate", "now");
        assertSays(Map.of("MILLRACE_DATABASE_URL", "postgresql://user:secret@127.0.0.1:1/millrace"), ENVIRONMENT,
                "PostgreSQL at 127.0.0.1:1/millrace cannot be used", "migrate");
    }

    private static void assertSays(Map<String, String> settings, int exitCode, String words, String... command) {
        try (MillraceProcess process = MillraceProcess.command(settings, command)) {
            assertThat(process.awaitExit()).as(process.output()).isEqualTo(exitCode);
            assertThat(process.errors().lines()).hasSize(1).first().asString().startsWith("millrace did not migrate: ")
                    .contains(words);
        }
    }
}
