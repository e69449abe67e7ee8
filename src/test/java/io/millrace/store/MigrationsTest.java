package io.millrace.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

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
}
