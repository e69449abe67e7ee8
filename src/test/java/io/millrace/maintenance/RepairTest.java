package io.millrace.maintenance;

import static io.millrace.worker.JobServers.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.UUID;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Timeout;

import io.millrace.worker.JobServers;
import io.millrace.worker.WorkerProcess;
import io.vertx.core.Vertx;

/**
 * Each chore does its passes by hand, on real servers: what a crash would leave behind is put there by SQL and by Redis
 * commands. The worker reads only if a test starts it.
 */
@Timeout(120)
@DisplayNameGeneration(ReplaceUnderscores.class)
abstract class RepairTest {
    /** Of two weeks: what is that old is older than any margin. */
    static final String LONG_AGO = "now() - interval '14 days'";
    static final String SOON = "now() + interval '1 hour'";

    static JobServers servers;
    private static Vertx vertx;

    WorkerProcess process;
    RepairCrew crew;

    @BeforeAll
    static void openServers() {
        servers = servers == null ? JobServers.fresh() : servers;
        vertx = vertx == null ? Vertx.vertx() : vertx;
    }

    @BeforeEach
    void startProcess() {
        servers.clear();
        process = newProcess();
        crew = new RepairCrew(vertx, process);
    }

    @AfterEach
    void stopProcess() {
        process.worker.drain();
        process.close();
    }

    /** Sweeps take over what has been pending for no time at all: a test has no minute. */
    WorkerProcess newProcess() {
        return new WorkerProcess(servers, null, "millrace.maintenance.reclaim-idle", "0s", "millrace.worker.slots", "10",
                "millrace.worker.drain", "1s",
                "millrace.worker.unknown-after", "1h", "millrace.stream.dispatch-window", "1000");
    }

    RepairCrew crewOf(WorkerProcess other) {
        return new RepairCrew(vertx, other);
    }

    /** What the relay has sent and a worker has read runs. */
    void assertRuns(UUID id) {
        servers.awaitState(id, "COMPLETED");
        await().untilAsserted(() -> assertThat(servers.pending()).as("entries not acknowledged").isZero());
    }
}
