package io.millrace.worker;

import static io.millrace.worker.JobServers.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.util.UUID;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import io.millrace.job.Priority;
import io.millrace.stream.StreamEntry;
import io.millrace.support.TcpProxy;

/** The two claims, on real servers: what is delivered for the first time, and what was delivered before. */
@Timeout(120)
@DisplayNameGeneration(ReplaceUnderscores.class)
class ClaimTest {
    private static final JobServers SERVERS = JobServers.fresh();
    private static final String LONG_AGO = "now() - interval '1 day'";

    @BeforeEach
    void clear() {
        SERVERS.clear();
    }

    private static StreamEntry delivered(UUID id, WorkerProcess to) {
        SERVERS.deliver(id, to.name());
        String entry = SERVERS.redis("XREVRANGE {q}:normal + - COUNT 1").stream().filter(line -> line.matches("\\d+-\\d+"))
                .findFirst().orElseThrow();
        return new StreamEntry(JobServers.QUEUE, Priority.NORMAL, entry, id);
    }

    @Test
    void the_claim_of_a_new_delivery_leaves_an_expired_lease_alone_and_the_entry_pending() {
        UUID id = SERVERS.insertRunning(LONG_AGO);
        String before = SERVERS.job(id, "job::text");
        try (WorkerProcess process = new WorkerProcess(SERVERS, null)) {
            assertThat(process.claimer.claim(delivered(id, process)).await().atMost(JobServers.PATIENCE)).isNull();
            process.claimer.idle().await().atMost(JobServers.PATIENCE);
            process.settlers.settler.idle().await().atMost(JobServers.PATIENCE);
        }
        assertThat(SERVERS.job(id, "job::text")).isEqualTo(before);
        assertThat(SERVERS.pending()).isOne();
        assertThat(SERVERS.query("select count(*) from job_attempt")).isEqualTo("0");
    }

    @Test
    void a_claim_whose_answer_is_lost_is_repeated_and_gets_the_same_job() {
        UUID id = SERVERS.insertReady();
        try (TcpProxy proxy = new TcpProxy(URI.create(SERVERS.databaseUrl()));
                WorkerProcess process = new WorkerProcess(through(proxy), null)) {
            StreamEntry entry = delivered(id, process);
            proxy.loseReply(process.name()); // which no other statement sends
            RunningJob claimed = process.claimer.claim(entry).await().atMost(JobServers.PATIENCE);

            assertThat(proxy.hasLost()).isTrue();
            assertThat(claimed.job().lease().epoch()).isOne();
            assertThat(SERVERS.job(id, "state, epoch, lost, lease_owner"))
                    .isEqualTo("PROCESSING 1 0 " + process.name());
            assertThat(SERVERS.job(id, "lease_id")).isEqualTo(claimed.job().lease().leaseId().toString());
        }
        assertThat(SERVERS.query("select count(*) from job_attempt")).isEqualTo("0");
    }

    @Test
    void it_runs_to_its_end_as_if_nothing_had_been_lost() {
        UUID id = SERVERS.insertReady();
        try (TcpProxy proxy = new TcpProxy(URI.create(SERVERS.databaseUrl()));
                WorkerProcess process = new WorkerProcess(through(proxy), null)) {
            proxy.loseReply(process.name());
            process.worker.start();
            SERVERS.append(id);
            SERVERS.awaitState(id, "COMPLETED");
            assertThat(proxy.hasLost()).isTrue();
            await().untilAsserted(() -> assertThat(SERVERS.length() + SERVERS.pending()).isZero());
            process.worker.drain();
        }
        assertThat(SERVERS.job(id, "epoch, lost, failures")).isEqualTo("1 0 0");
    }

    @Test
    void nor_is_a_loss_counted_twice_when_the_answer_to_the_claim_of_a_stuck_entry_is_lost() {
        UUID id = SERVERS.insertRunning(LONG_AGO);
        try (TcpProxy proxy = new TcpProxy(URI.create(SERVERS.databaseUrl()));
                WorkerProcess process = new WorkerProcess(through(proxy), null)) {
            StreamEntry entry = delivered(id, process);
            proxy.loseReply(process.name());
            RunningJob claimed = process.claimer.claimStuck(entry).await().atMost(JobServers.PATIENCE);

            assertThat(proxy.hasLost()).isTrue();
            assertThat(claimed.job().lease().epoch()).isEqualTo(2);
            assertThat(claimed.job().lost()).isOne();
        }
        assertThat(SERVERS.job(id, "state, epoch, lost")).isEqualTo("PROCESSING 2 1");
        assertThat(SERVERS.query("select count(*), min(epoch) from job_attempt")).isEqualTo("1 1");
    }

    @Test
    void a_claim_that_never_arrived_is_repeated_too() {
        UUID id = SERVERS.insertReady();
        try (TcpProxy proxy = new TcpProxy(URI.create(SERVERS.databaseUrl()));
                WorkerProcess process = new WorkerProcess(through(proxy), null)) {
            StreamEntry entry = delivered(id, process);
            proxy.loseRequest(process.name());
            assertThat(process.claimer.claim(entry).await().atMost(JobServers.PATIENCE).job().lease().epoch()).isOne();
            assertThat(proxy.hasLost()).isTrue();
        }
    }

    private static JobServers through(TcpProxy proxy) {
        return new JobServers(proxy.through(SERVERS.databaseUrl()), SERVERS.redisUrl());
    }
}
