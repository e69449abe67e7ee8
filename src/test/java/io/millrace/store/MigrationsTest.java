package io.millrace.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import org.flywaydb.core.api.exception.FlywayValidateException;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import io.millrace.support.TestServers;

@Timeout(60)
@DisplayNameGeneration(ReplaceUnderscores.class)
class MigrationsTest {

    private static final int PROCESSES = 4;

    @Test
    void several_processes_may_migrate_at_once_and_each_migration_runs_once() throws Exception {
        String database = TestServers.freshDatabase();
        CyclicBarrier together = new CyclicBarrier(PROCESSES);
        Callable<Integer> process = () -> {
            together.await(10, TimeUnit.SECONDS);
            return Migrations.run(database);
        };
        ExecutorService threads = Executors.newFixedThreadPool(PROCESSES);
        try {
            List<Integer> ran = new ArrayList<>();
            for (Future<Integer> one : threads.invokeAll(Collections.nCopies(PROCESSES, process))) {
                ran.add(one.get());
            }
            int alone = Migrations.run(TestServers.freshDatabase());
            assertThat(alone).isPositive();
            assertThat(ran.stream().mapToInt(Integer::intValue).sum()).isEqualTo(alone);
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void a_schema_that_is_up_to_date_is_left_alone() {
        String database = TestServers.migratedDatabase();
        assertThat(Migrations.run(database)).isZero();
    }

    @Test
    void looking_at_a_schema_counts_what_it_lacks_and_changes_nothing() {
        String database = TestServers.freshDatabase();
        assertThat(Migrations.countMissing(database)).isEqualTo(Migrations.FILES.size());
        assertThat(Migrations.countMissing(database)).isEqualTo(Migrations.FILES.size());
        Migrations.run(database);
        assertThat(Migrations.countMissing(database)).isZero();
    }

    @Test
    void a_migration_that_was_changed_is_noticed_by_whoever_only_looks() throws SQLException {
        String database = TestServers.freshDatabase();
        Migrations.run(database);
        execute(database, "update flyway_schema_history set checksum = 1 where version = '2'");
        assertThatThrownBy(() -> Migrations.countMissing(database)).isInstanceOf(FlywayValidateException.class);
    }

    @Test
    void the_schema_of_a_newer_version_is_not_refused() throws SQLException {
        String database = TestServers.freshDatabase();
        Migrations.run(database);
        execute(database,
                "insert into flyway_schema_history select installed_rank + 1, '999', 'later', type, 'V999__later.sql', 1, "
                        + "installed_by, installed_on, 1, true from flyway_schema_history order by installed_rank desc limit 1");
        assertThat(Migrations.countMissing(database)).isZero();
        assertThat(Migrations.run(database)).isZero();
    }

    @Test
    void every_migration_of_the_folder_is_listed_in_order() throws IOException {
        try (Stream<Path> folder = Files.list(Path.of("src/main/resources/db/migration"))) {
            assertThat(folder.map(file -> file.getFileName().toString())).containsExactlyInAnyOrderElementsOf(Migrations.FILES);
        }
        assertThat(Migrations.FILES).isSortedAccordingTo(Comparator.comparing(MigrationsTest::version));
    }

    private static int version(String file) {
        return Integer.parseInt(file.substring(1, file.indexOf("__")));
    }

    private static void execute(String database, String sql) throws SQLException {
        DatabaseUrl url = DatabaseUrl.parse(database);
        try (Connection connection = DriverManager.getConnection(url.jdbcUrl(), url.user(), url.password());
                Statement statement = connection.createStatement()) {
            statement.executeUpdate(sql);
        }
    }
}
