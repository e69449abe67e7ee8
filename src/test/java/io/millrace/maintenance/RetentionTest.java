package io.millrace.maintenance;

import static io.millrace.maintenance.RepairCrew.pass;
import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

import org.junit.jupiter.api.Test;

import io.millrace.job.JobIds;
import io.millrace.support.TestConfig;
import io.millrace.support.TestServers;
import io.millrace.worker.WorkerProcess;

class RetentionTest extends RepairTest {

    private static final Duration OLD = Duration.ofDays(400);

    private Retention retention(String... settings) {
        return retention(process, settings);
    }

    private static Retention retention(WorkerProcess process, String... settings) {
        Map<String, String> all = new HashMap<>();
        for (int i = 0; i < settings.length; i += 2) {
            all.put("millrace.retention." + settings[i], settings[i + 1]);
        }
        return new Retention(process.stores.repair, TestConfig.of(RetentionConfig.class, all));
    }

    /** A job with an attempt and a file. */
    private static UUID ended(String queue, String state, Duration accepted, Duration ended) {
        UUID lowest = JobIds.lowestAt(Instant.now().minus(accepted));
        UUID id = new UUID(lowest.getMostSignificantBits(), UUID.randomUUID().getLeastSignificantBits());
        servers.execute("insert into job (id, tenant, queue, type, priority, payload, state, phase, max_attempts, run_at,"
                + " created_at, finished_at) values ('" + id + "', 'default', '" + queue + "', 'echo', 1, '{}', '" + state
                + "', 2, 5, now(), now() - interval '" + accepted.toMinutes() + " minutes', now() - interval '"
                + ended.toMinutes() + " minutes')");
        servers.execute(
                "insert into job_attempt (job_id, epoch, outcome, ended_at) values ('" + id + "', 1, 'RETRIED', now())");
        servers.execute("insert into job_artifact values ('" + id + "', 'a.txt', 'text/plain', 'x')");
        return id;
    }

    private static UUID ended(String state, Duration ago) {
        return ended("q", state, ago.plusMinutes(1), ago);
    }

    private static boolean isThere(UUID id) {
        return servers.job(id, "id") != null;
    }

    /** Many jobs that were completed long ago, a millisecond apart. */
    private static void insertOld(int count) {
        servers.execute("insert into job (id, tenant, queue, type, priority, payload, state, phase, max_attempts, run_at,"
                + " created_at, finished_at) select (lpad(to_hex((extract(epoch from now() - interval '30 days') * 1000)::bigint"
                + " + n), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid, 'default', 'q', 'echo', 1, '{}', 'COMPLETED',"
                + " 2, 5, now(), now() - interval '30 days', now() - interval '29 days' from generate_series(1, " + count
                + ") n");
    }

    @Test
    void a_job_goes_when_its_state_was_kept_long_enough_and_takes_its_attempts_and_files_along() {
        UUID completed = ended("COMPLETED", Duration.ofDays(8));
        UUID cancelled = ended("CANCELLED", Duration.ofDays(8));
        UUID failed = ended("FAILED", Duration.ofDays(91));
        UUID freshCompleted = ended("COMPLETED", Duration.ofDays(6));
        UUID freshCancelled = ended("CANCELLED", Duration.ofDays(6));
        UUID freshFailed = ended("FAILED", Duration.ofDays(89));
        Map<String, Integer> told = new TreeMap<>();
        Retention retention = retention();
        retention.onDeleted((queue, state, count) -> told.merge(queue + " " + state, count, Integer::sum));

        assertThat(pass(retention.deleteEnded())).isEqualTo(3);
        assertThat(told).isEqualTo(Map.of("q COMPLETED", 1, "q CANCELLED", 1, "q FAILED", 1));
        assertThat(isThere(completed) || isThere(cancelled) || isThere(failed)).isFalse();
        assertThat(isThere(freshCompleted) && isThere(freshCancelled) && isThere(freshFailed)).isTrue();
        assertThat(servers.query("select count(*) from job_attempt")).isEqualTo("3");
        assertThat(servers.query("select count(*) from job_artifact")).isEqualTo("3");
        assertThat(pass(retention.deleteEnded())).isZero();
    }

    @Test
    void a_queue_may_keep_its_jobs_longer_or_shorter_or_for_ever() {
        UUID brief = ended("brief", "COMPLETED", Duration.ofHours(3), Duration.ofHours(2));
        UUID longer = ended("longer", "COMPLETED", Duration.ofDays(31), Duration.ofDays(30));
        UUID always = ended("always", "FAILED", OLD, OLD);
        UUID other = ended("always", "COMPLETED", OLD, OLD);

        assertThat(pass(retention("queues.brief.completed", "1h", "queues.longer.completed", "60d", "queues.always.failed",
                "forever").deleteEnded())).isEqualTo(2);
        assertThat(isThere(longer) && isThere(always)).isTrue();
        assertThat(isThere(brief) || isThere(other)).isFalse();
    }

    @Test
    void the_end_of_a_job_counts_and_not_its_beginning() {
        UUID slow = ended("q", "COMPLETED", OLD, Duration.ofDays(1));
        assertThat(pass(retention().deleteEnded())).isZero();
        assertThat(isThere(slow)).isTrue();
    }

    @Test
    void a_job_that_has_not_ended_stays_however_old_it_is() {
        UUID id = ended("FAILED", OLD);
        servers.change(id, "state = 'PENDING', phase = 1");
        assertThat(pass(retention().deleteEnded())).isZero();
        assertThat(isThere(id)).isTrue();
    }

    @Test
    void a_job_that_is_replayed_at_this_moment_stays_and_holds_nobody_up() throws SQLException {
        UUID replayed = ended("FAILED", OLD);
        UUID other = ended("FAILED", OLD);
        Retention retention = retention();
        try (Connection replay = TestServers.connect(servers.databaseUrl()); Statement statement = replay.createStatement()) {
            replay.setAutoCommit(false);
            statement.execute("update job set state = 'PENDING', phase = 1, finished_at = null where id = '" + replayed + "'");
            assertThat(pass(retention.deleteEnded())).isOne();
            replay.commit();
        }
        assertThat(isThere(other)).isFalse();
        assertThat(pass(retention.deleteEnded())).isZero();
        assertThat(servers.query("select count(*) from job_attempt where job_id = '" + replayed + "'")).isEqualTo("1");
    }

    @Test
    void a_pass_stops_among_jobs_that_stay_and_the_next_one_goes_on_there() {
        UUID due = ended("COMPLETED", Duration.ofDays(20));
        for (int i = 0; i < 10; i++) {
            ended("FAILED", Duration.ofDays(10)); // newer, so they are looked at first
        }
        Retention retention = retention("items", "2", "kept-per-pass", "4");

        assertThat(pass(retention.deleteEnded())).isZero();
        assertThat(pass(retention.deleteEnded())).isZero();
        assertThat(pass(retention.deleteEnded())).isOne();
        assertThat(isThere(due)).isFalse();
    }

    @Test
    void what_has_come_of_age_goes_with_the_next_pass_though_a_lap_is_under_way() {
        for (int i = 0; i < 10; i++) {
            ended("FAILED", Duration.ofDays(10));
        }
        Retention retention = retention("completed", "1m", "items", "2", "kept-per-pass", "2");
        pass(retention.deleteEnded());
        UUID due = ended("q", "COMPLETED", Duration.ofMinutes(1), Duration.ofMinutes(2));

        assertThat(pass(retention.deleteEnded())).isOne();
        assertThat(isThere(due)).isFalse();
    }

    @Test
    void a_lap_is_followed_by_another() {
        Retention retention = retention("items", "2");
        for (int lap = 0; lap < 3; lap++) {
            ended("COMPLETED", OLD);
            assertThat(pass(retention.deleteEnded())).isOne();
        }
    }

    @Test
    void several_processes_share_the_work() {
        int jobs = 5_000;
        insertOld(jobs);
        try (WorkerProcess other = newProcess()) {
            CompletableFuture<Integer> one = retention().deleteEnded().subscribeAsCompletionStage();
            CompletableFuture<Integer> another = retention(other).deleteEnded().subscribeAsCompletionStage();
            assertThat(one.join() + another.join()).isEqualTo(jobs);
        }
        assertThat(servers.count("true")).isZero();
    }
}
