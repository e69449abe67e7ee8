package io.millrace.settle;

import static io.millrace.worker.JobServers.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import io.millrace.job.Artifact;
import io.millrace.job.ClaimedJob;
import io.millrace.job.Failure;
import io.millrace.job.FailureReason;
import io.millrace.job.JobOptions;
import io.millrace.job.Lease;
import io.millrace.job.Priority;
import io.millrace.job.Settlement;
import io.millrace.job.Settlement.Complete;
import io.millrace.store.TestStores;
import io.millrace.stream.StreamEntry;
import io.millrace.stream.TestStreams;
import io.millrace.worker.JobServers;
import io.vertx.core.Vertx;

/** Ends of attempts, recorded on real servers. */
@Timeout(120)
@DisplayNameGeneration(ReplaceUnderscores.class)
class SettlerTest {

    private static final JobServers SERVERS = JobServers.fresh();
    private static final Failure FAILURE = new Failure(null, "Broken", "no luck", null, null);

    private final Vertx vertx = Vertx.vertx();
    private final TestStores stores = new TestStores(vertx, SERVERS.databaseUrl());
    private final TestStreams streams = new TestStreams(vertx, SERVERS.redisUrl(), Map.of());
    private final TestSettlers settlers = new TestSettlers(vertx, stores, streams);
    private final Settler settler = settlers.settler;
    private final AtomicBoolean isHeld = new AtomicBoolean(true);

    @BeforeEach
    void clear() {
        SERVERS.clear();
    }

    @AfterEach
    void close() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    /** A job that runs, with its entry delivered. */
    private Attempt attempt(Settlement settlement) {
        UUID id = SERVERS.insertReady();
        SERVERS.deliver(id, settlers.name.value());
        SERVERS.lease(id, "worker", "now() + interval '1 hour'");
        List<String> entries = SERVERS.redis("XREVRANGE {q}:normal + - COUNT 1").stream()
                .filter(line -> line.matches("\\d+-\\d+")).toList();
        Lease lease = new Lease(id, Integer.parseInt(SERVERS.job(id, "epoch")), UUID.fromString(SERVERS.job(id, "lease_id")));
        ClaimedJob job = new ClaimedJob(lease, "default", JobServers.QUEUE, "echo", Priority.NORMAL, "{}", JobOptions.NONE, 0,
                0, 5, false, ClaimedJob.RAN_BEFORE);
        return new Attempt(job, List.of(new StreamEntry(JobServers.QUEUE, Priority.NORMAL, entries.get(0), id)), settlement,
                System.nanoTime(), isHeld::get);
    }

    private static Complete complete(String result) {
        return new Complete(result, List.of());
    }

    private boolean settle(Settler by, Attempt attempt) {
        return by.settle(attempt).await().atMost(JobServers.PATIENCE);
    }

    private List<Boolean> settleTogether(List<Attempt> attempts) {
        List<CompletableFuture<Boolean>> all = new ArrayList<>();
        attempts.forEach(attempt -> all.add(settler.settle(attempt).subscribeAsCompletionStage()));
        return all.stream().map(one -> one.orTimeout(JobServers.PATIENCE.toSeconds(), TimeUnit.SECONDS).join()).toList();
    }

    private static String job(Attempt attempt, String columns) {
        return SERVERS.job(attempt.job().id(), columns);
    }

    private static void assertAcknowledged() {
        await().untilAsserted(() -> assertThat(SERVERS.length() + SERVERS.pending()).isZero());
    }

    private void assertNotAcknowledged(int entries) {
        settler.idle().await().atMost(JobServers.PATIENCE);
        assertThat(SERVERS.pendingOf(settlers.name.value())).isEqualTo(entries);
    }

    @Test
    void one_batch_may_hold_ends_of_every_kind() {
        List<Attempt> attempts = List.of(attempt(complete("{\"n\":1}")), attempt(complete(null)),
                attempt(new Complete("2", List.of(new Artifact("a.txt", "text/plain", new byte[]{65})))),
                attempt(new Settlement.RetryAfter(Duration.ofMinutes(1), FAILURE)),
                attempt(new Settlement.Postpone(Duration.ofMinutes(1))),
                attempt(new Settlement.DeadLetter(FAILURE.withReason(FailureReason.ATTEMPTS_EXHAUSTED))),
                attempt(new Settlement.Cancel()), attempt(new Settlement.Release()));

        assertThat(settleTogether(attempts)).containsOnly(true);
        assertThat(attempts).extracting(attempt -> job(attempt, "state, failures, lost, result")).containsExactly(
                "COMPLETED 0 0 {\"n\":1}", "COMPLETED 0 0 null", "COMPLETED 0 0 2", "RETRYING 1 0 null", "SCHEDULED 0 0 null",
                "FAILED 1 0 null", "CANCELLED 0 0 null", "PENDING 0 0 null");
        assertThat(SERVERS.count("lease_id is not null")).isZero();
        await().untilAsserted(() -> {
            assertThat(SERVERS.pending()).isZero();
            assertThat(SERVERS.length()).as("the one that was handed back").isOne();
            assertThat(SERVERS.number("ZCARD {q}:delayed")).isEqualTo(2);
            assertThat(SERVERS.number("XLEN {q}:dlq")).isOne();
        });
        assertThat(SERVERS.query("select string_agg(outcome, ' ' order by outcome) from job_attempt"))
                .as("attempts that did not succeed; one that was put off or handed back counts as none")
                .isEqualTo("CANCELLED DEAD_LETTERED RETRIED");
    }

    @Test
    void an_end_that_is_handed_in_again_is_found_recorded_and_acknowledged() {
        Attempt attempt = attempt(complete("1"));
        assertThat(settle(settler, attempt)).isTrue();
        assertAcknowledged();
        String before = job(attempt, "job::text");

        assertThat(settle(settler, attempt)).isTrue();
        assertThat(job(attempt, "job::text")).isEqualTo(before);
    }

    @Test
    void when_the_answer_is_lost_the_repeat_finds_its_own_epoch_and_state() {
        Attempt attempt = attempt(new Settlement.RetryAfter(Duration.ofMinutes(1), FAILURE));
        AtomicInteger writes = new AtomicInteger();
        Settler deaf = new TestSettlers(vertx, stores, stores.losingFirstAnswer(writes), streams).settler;

        assertThat(settle(deaf, attempt)).isTrue();
        assertThat(writes.get()).isGreaterThanOrEqualTo(2);
        assertThat(job(attempt, "state, failures, epoch")).as("counted once").isEqualTo("RETRYING 1 1");
        assertAcknowledged();
        assertThat(SERVERS.redis("ZRANGE {q}:delayed 0 -1")).contains("1:" + attempt.job().id());
    }

    @Test
    void when_the_answer_is_lost_and_so_is_the_lease_nobody_goes_on_trying() {
        Attempt attempt = attempt(complete("1"));
        AtomicInteger writes = new AtomicInteger();
        Settler deaf = new TestSettlers(vertx, stores, stores.failing(writes), streams).settler;
        CompletableFuture<Boolean> settled = deaf.settle(attempt).subscribeAsCompletionStage();
        await().until(() -> writes.get() >= 2);
        assertThat(settled).isNotDone();

        isHeld.set(false);
        assertThat(settled.join()).isFalse();
        assertNotAcknowledged(1);
    }

    @Test
    void who_has_a_stale_epoch_writes_nothing_and_acknowledges_nothing() {
        Attempt stale = attempt(complete("\"stale\""));
        SERVERS.change(stale.job().id(), "state = 'PENDING', lease_id = null, lease_until = null, lost = 1");
        SERVERS.lease(stale.job().id(), "another", "now() + interval '1 hour'");
        String before = job(stale, "job::text");
        Attempt other = attempt(complete("\"mine\""));

        assertThat(settleTogether(List.of(stale, other))).containsExactly(false, true);
        assertThat(job(stale, "job::text")).isEqualTo(before);
        await().until(() -> SERVERS.pending() == 1);
        assertNotAcknowledged(1);
        assertThat(job(other, "state, result")).isEqualTo("COMPLETED \"mine\"");
    }

    @Test
    void who_has_a_stale_epoch_acknowledges_nothing_even_if_the_job_ended_as_it_would_have_recorded() {
        Attempt stale = attempt(complete("\"stale\""));
        SERVERS.change(stale.job().id(), "state = 'PENDING', lease_id = null, lease_until = null, lost = 1");
        SERVERS.lease(stale.job().id(), "another", "now() + interval '1 hour'");
        SERVERS.change(stale.job().id(), "state = 'COMPLETED', phase = 2, lease_id = null, result = '\"theirs\"'");

        assertThat(settle(settler, stale)).isFalse();
        assertNotAcknowledged(1);
        assertThat(job(stale, "result")).isEqualTo("\"theirs\"");
    }

    @Test
    void the_same_epoch_with_another_lease_id_is_stale_too() {
        Attempt stale = attempt(complete("\"stale\""));
        SERVERS.execute("alter table job disable trigger job_transition_guard");
        SERVERS.change(stale.job().id(), "lease_id = gen_random_uuid()"); // as after a restore
        SERVERS.execute("alter table job enable trigger job_transition_guard");

        assertThat(settle(settler, stale)).isFalse();
        assertThat(job(stale, "state, result")).isEqualTo("PROCESSING null");
    }

    @Test
    void a_result_that_cannot_be_stored_fails_its_job_and_not_its_neighbours() {
        List<Attempt> attempts = new ArrayList<>();
        for (int i = 0; i < 9; i++) {
            attempts.add(attempt(i == 4 ? complete("{\"not\": json") : complete("" + i)));
        }
        attempts.add(attempt(new Settlement.RetryAfter(Duration.ofMinutes(1), FAILURE)));

        assertThat(settleTogether(attempts)).containsOnly(true);
        assertThat(job(attempts.get(4), "state, failure->>'reason', failure->>'error', result"))
                .isEqualTo("FAILED REJECTED UnstorableResult null");
        assertThat(SERVERS.count("state = 'COMPLETED'")).isEqualTo(8);
        assertThat(job(attempts.get(8), "result")).isEqualTo("8");
        assertThat(job(attempts.get(9), "state, failures")).as("counted once").isEqualTo("RETRYING 1");
        assertAcknowledged();
    }

    @Test
    void what_postgresql_refuses_in_a_file_fails_its_job_alone_too() {
        Attempt bad = attempt(new Complete("1", List.of(new Artifact("a", "text/plain", new byte[]{65}),
                new Artifact("a", "text/plain", new byte[]{66}))));
        Attempt good = attempt(new Complete("1", List.of(new Artifact("a", "text/plain", new byte[]{65}))));

        assertThat(settleTogether(List.of(bad, good))).containsOnly(true);
        assertThat(job(bad, "state, failure->>'error'")).isEqualTo("FAILED UnstorableResult");
        assertThat(job(good, "state")).isEqualTo("COMPLETED");
    }

    /** A statement that this user may not run, a column that is missing: no repeat mends it, while the lease is renewed. */
    @Test
    void what_postgresql_refuses_for_good_is_not_tried_for_ever() {
        Attempt attempt = attempt(complete("1"));
        AtomicInteger writes = new AtomicInteger();
        Settler refused = new TestSettlers(vertx, stores, stores.refusing(writes), streams).settler;

        assertThat(settle(refused, attempt)).isTrue();
        assertThat(writes).as("tries").hasValue(1);
        assertThat(job(attempt, "state, failure->>'reason', failure->>'error'")).isEqualTo("FAILED REJECTED UnstorableResult");
        await().untilAsserted(() -> {
            assertThat(SERVERS.pending()).isZero();
            assertThat(SERVERS.number("XLEN {q}:dlq")).as("noted as what was recorded").isOne();
        });
    }
}
