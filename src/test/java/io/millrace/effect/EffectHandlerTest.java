package io.millrace.effect;

import static io.millrace.worker.JobServers.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;

import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import io.millrace.handler.JobContext;
import io.millrace.handler.JobHandler;
import io.millrace.handler.JobType;
import io.millrace.handler.RawJson;
import io.millrace.job.Outcome;
import io.millrace.store.TestStores;
import io.millrace.stream.TestStreams;
import io.millrace.support.TestConfig;
import io.millrace.worker.JobServers;
import io.millrace.worker.WorkerProcess;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;

/** How a handler uses effects, from claim to settlement. */
@Timeout(60)
@DisplayNameGeneration(ReplaceUnderscores.class)
class EffectHandlerTest {
    private static final Duration A_WHILE = Duration.ofMillis(50);

    /** Sends one letter, whoever asks for it; each first attempt fails on the way there, or on the way back. */
    private static final class LetterHandler implements JobHandler<RawJson> {
        final Queue<UUID> sent = new ConcurrentLinkedQueue<>();
        private final Effects effects;
        private final boolean failsAfterwards;

        LetterHandler(Effects effects, boolean failsAfterwards) {
            this.effects = effects;
            this.failsAfterwards = failsAfterwards;
        }

        @Override
        public JobType<RawJson> type() {
            return new JobType<>("echo", "Sends a letter.", RawJson.class, "{}");
        }

        @Override
        public Uni<Outcome> run(RawJson payload, JobContext context) {
            return effects.begin(context.attemptId(), "letter").chain(turn -> switch (turn) {
                case DONE -> Uni.createFrom().item(new Outcome.Success("was sent"));
                case ELSEWHERE -> Uni.createFrom().item(new Outcome.Snooze(A_WHILE));
                case MINE -> send(context);
            });
        }

        private Uni<Outcome> send(JobContext context) {
            boolean fails = context.attempt() == 1;
            if (!fails || failsAfterwards) {
                sent.add(context.jobId());
            }
            return fails
                    ? Uni.createFrom().item(new Outcome.Retry(new IllegalStateException("cut off"), A_WHILE))
                    : effects.done(context.attemptId(), "letter").replaceWith(new Outcome.Success("sent"));
        }
    }

    private static Queue<UUID> run(boolean failsAfterwards) {
        JobServers servers = JobServers.fresh();
        Vertx vertx = Vertx.vertx();
        try (TestStores stores = new TestStores(vertx, servers.databaseUrl());
                TestStreams streams = new TestStreams(vertx, servers.redisUrl(), Map.of())) {
            LetterHandler handler = new LetterHandler(
                    new Effects(stores.effects, streams.hints, TestConfig.of(EffectConfig.class, Map.of())), failsAfterwards);
            try (WorkerProcess process = new WorkerProcess(servers, handler)) {
                process.worker.start();
                List<UUID> ids = servers.insertReady(5);
                ids.forEach(servers::append);
                await().untilAsserted(() -> {
                    // Nobody promotes what snoozes or waits for its retry here: it is delivered again by hand.
                    ids.stream().filter(id -> List.of("SCHEDULED", "RETRYING").contains(servers.job(id, "state")))
                            .forEach(servers::append);
                    assertThat(servers.count("state = 'COMPLETED'")).isEqualTo(ids.size());
                });
                assertThat(servers.count("result::text = '\"sent\"'")).isOne();
                assertThat(servers.count("failures = 1")).as("only who had the turn has failed").isOne();
                return handler.sent;
            }
        } finally {
            vertx.close().toCompletionStage().toCompletableFuture().join();
        }
    }

    @Test
    void five_jobs_send_one_letter() {
        assertThat(run(false)).hasSize(1);
    }

    /** At least once: what was done and not recorded is done again, by the same job. */
    @Test
    void an_attempt_that_is_cut_off_after_the_effect_repeats_it() {
        assertThat(run(true)).hasSize(2);
    }
}
