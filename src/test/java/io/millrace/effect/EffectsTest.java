package io.millrace.effect;

import static io.millrace.effect.Effects.Turn.DONE;
import static io.millrace.effect.Effects.Turn.ELSEWHERE;
import static io.millrace.effect.Effects.Turn.MINE;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.millrace.effect.Effects.Turn;
import io.millrace.job.AttemptId;
import io.millrace.store.TestStores;
import io.millrace.stream.TestStreams;
import io.millrace.support.TcpProxy;
import io.millrace.support.TestConfig;
import io.millrace.worker.JobServers;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;

/** Effects with a key, on real stores. A worker that dies is one that says nothing more. */
@Timeout(60)
@DisplayNameGeneration(ReplaceUnderscores.class)
class EffectsTest {
    private static final String KEY = "welcome:ada@example.org";
    private static final String LIVE = "now() + interval '1 minute'";

    private static JobServers servers;
    private static TcpProxy redis;
    private static Vertx vertx;
    private static TestStores stores;
    private static TestStreams streams;
    private static Effects effects;

    @BeforeAll
    static void open() {
        servers = JobServers.fresh();
        redis = new TcpProxy(URI.create(servers.redisUrl()));
        vertx = Vertx.vertx();
        stores = new TestStores(vertx, servers.databaseUrl());
        streams = new TestStreams(vertx, redis.through(servers.redisUrl()), Map.of());
        effects = new Effects(stores.effects, streams.hints, TestConfig.of(EffectConfig.class, Map.of()));
    }

    @AfterAll
    static void close() {
        redis.close();
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    @BeforeEach
    void clear() {
        redis.resume();
        servers.clear();
    }

    /** A job that runs, in its first attempt. */
    private static AttemptId running() {
        return new AttemptId("default", servers.insertRunning(LIVE), 1);
    }

    /** The job of this attempt is claimed anew, by another worker. */
    private static AttemptId next(AttemptId attempt) {
        servers.lease(attempt.jobId(), "another-worker", LIVE);
        return new AttemptId(attempt.tenant(), attempt.jobId(), attempt.epoch() + 1);
    }

    private static void end(AttemptId attempt, String state) {
        servers.change(attempt.jobId(), "state = '" + state + "', phase = 2, lease_id = null, lease_until = null");
    }

    private static Turn begin(AttemptId attempt) {
        return effects.begin(attempt, KEY).await().atMost(JobServers.PATIENCE);
    }

    private static boolean done(AttemptId attempt) {
        return effects.done(attempt, KEY).await().atMost(JobServers.PATIENCE);
    }

    private static int hints() {
        return servers.number("DBSIZE");
    }

    @Test
    void the_first_that_asks_does_it_and_all_others_find_it_done() {
        AttemptId first = running();
        AttemptId second = running();
        assertThat(begin(first)).isEqualTo(MINE);
        assertThat(begin(second)).isEqualTo(ELSEWHERE);
        assertThat(hints()).as("Redis learns of it when it is done").isZero();
        assertThat(done(first)).isTrue();
        assertThat(hints()).isOne();
        long counted = effects.doneBeforeCount();
        assertThat(begin(second)).isEqualTo(DONE);
        assertThat(begin(next(first))).isEqualTo(DONE);
        assertThat(effects.doneBeforeCount()).isEqualTo(counted + 2);
    }

    @Test
    void an_effect_is_that_of_its_tenant_and_key() {
        AttemptId first = running();
        assertThat(begin(first)).isEqualTo(MINE);
        assertThat(effects.begin(running(), "welcome:bob@example.org").await().atMost(JobServers.PATIENCE)).isEqualTo(MINE);
        AttemptId other = running();
        assertThat(begin(new AttemptId("another", other.jobId(), 1))).isEqualTo(MINE);
    }

    @Test
    void of_many_jobs_at_once_one_gets_the_turn() {
        List<AttemptId> attempts = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            attempts.add(running());
        }
        List<CompletableFuture<Turn>> asked = attempts.stream().map(attempt -> effects.begin(attempt, KEY))
                .map(Uni::subscribeAsCompletionStage).map(CompletionStage::toCompletableFuture).toList();
        List<Turn> turns = asked.stream().map(CompletableFuture::join).toList();
        assertThat(turns).containsOnlyOnce(MINE).containsOnly(MINE, ELSEWHERE);
    }

    @Test
    void a_job_whose_worker_died_before_or_after_the_effect_goes_on_with_it() {
        AttemptId first = running();
        assertThat(begin(first)).isEqualTo(MINE);
        AttemptId second = next(first);
        assertThat(begin(second)).isEqualTo(MINE);
        assertThat(done(second)).isTrue();
    }

    @Test
    void a_stale_attempt_neither_begins_nor_records_anything_once_a_newer_one_has_begun() {
        AttemptId stale = running();
        begin(stale);
        AttemptId fresh = next(stale);
        begin(fresh);
        assertThat(done(stale)).isFalse();
        assertThat(hints()).isZero();
        assertThat(begin(stale)).isEqualTo(ELSEWHERE);
        assertThat(begin(running())).isEqualTo(ELSEWHERE);
        assertThat(done(fresh)).isTrue();
        assertThat(done(fresh)).as("said twice").isTrue();
    }

    @Test
    void a_stale_attempt_does_not_begin_though_the_newer_one_has_not_yet() {
        AttemptId stale = running();
        AttemptId fresh = next(stale);
        assertThat(begin(stale)).isEqualTo(ELSEWHERE);
        assertThat(begin(fresh)).isEqualTo(MINE);
    }

    @Test
    void an_attempt_that_lost_its_lease_records_what_it_did_if_nobody_has_begun_it_since() {
        AttemptId stale = running();
        begin(stale);
        AttemptId fresh = next(stale);
        assertThat(done(stale)).isTrue();
        assertThat(begin(fresh)).isEqualTo(DONE);
    }

    @ParameterizedTest
    @ValueSource(strings = {"FAILED", "CANCELLED", "COMPLETED"})
    void an_owner_that_ended_without_doing_it_is_succeeded_by_one(String state) {
        AttemptId owner = running();
        begin(owner);
        AttemptId second = running();
        AttemptId third = running();
        end(owner, state);
        assertThat(begin(second)).isEqualTo(MINE);
        assertThat(begin(third)).isEqualTo(ELSEWHERE);
        assertThat(done(owner)).isFalse();
        assertThat(done(second)).isTrue();
    }

    @Test
    void an_owner_that_is_gone_is_succeeded_too() {
        AttemptId owner = running();
        begin(owner);
        servers.execute("delete from job where id = '" + owner.jobId() + "'");
        assertThat(begin(running())).isEqualTo(MINE);
    }

    @Test
    void an_owner_that_waits_for_its_retry_keeps_its_turn() {
        AttemptId owner = running();
        begin(owner);
        servers.change(owner.jobId(), "state = 'RETRYING', phase = 0, lease_id = null, lease_until = null");
        assertThat(begin(running())).isEqualTo(ELSEWHERE);
    }

    @Test
    void an_owner_that_was_replayed_asks_like_any_other() {
        AttemptId owner = running();
        begin(owner);
        end(owner, "FAILED");
        AttemptId second = running();
        begin(second);
        servers.change(owner.jobId(), "state = 'PENDING', phase = 1");
        AttemptId replayed = next(owner);
        assertThat(begin(replayed)).isEqualTo(ELSEWHERE);
        done(second);
        assertThat(begin(replayed)).isEqualTo(DONE);
    }

    @Test
    void a_redis_that_has_forgotten_everything_changes_nothing() {
        AttemptId first = running();
        begin(first);
        done(first);
        servers.redis("FLUSHDB");
        assertThat(begin(running())).isEqualTo(DONE);
    }

    @Test
    void a_redis_that_hangs_or_is_away_costs_a_moment() {
        AttemptId first = running();
        begin(first);
        redis.hang();
        long asked = System.nanoTime();
        assertThat(done(first)).isTrue();
        assertThat(begin(running())).isEqualTo(DONE);
        assertThat(Duration.ofNanos(System.nanoTime() - asked)).isLessThan(Duration.ofSeconds(2));
        redis.cut();
        assertThat(begin(running())).isEqualTo(DONE);
    }

    @Test
    void a_job_that_does_not_run_begins_nothing() {
        AttemptId ended = running();
        end(ended, "COMPLETED");
        assertThat(begin(ended)).isEqualTo(ELSEWHERE);
        assertThat(begin(new AttemptId("default", UUID.randomUUID(), 1))).isEqualTo(ELSEWHERE);
        assertThat(begin(running())).isEqualTo(MINE);
    }

    @Test
    void only_what_nobody_needs_is_swept() {
        AttemptId owner = running();
        begin(owner);
        servers.execute("update effect set expires_at = now() - interval '1 second'");
        assertThat(swept()).as("begun long ago by a job that is still there").isZero();
        end(owner, "FAILED");
        assertThat(swept()).isOne();

        AttemptId second = running();
        begin(second);
        done(second);
        assertThat(swept()).isZero();
        servers.execute("update effect set expires_at = now() - interval '1 second'");
        assertThat(swept()).isOne();
    }

    private static int swept() {
        return stores.effects.deleteExpired(10).await().atMost(JobServers.PATIENCE);
    }
}
