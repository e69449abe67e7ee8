package io.millrace.maintenance;

import static io.millrace.worker.JobServers.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.stream.IntStream;

import org.jboss.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.Timeout;

import io.millrace.job.Priority;
import io.millrace.stream.JobStream;
import io.millrace.support.PlainRedis;
import io.millrace.support.RedisNode;
import io.millrace.support.TcpProxy;
import io.millrace.support.TestServers;
import io.millrace.worker.JobServers;
import io.millrace.worker.WorkerProcess;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;

/**
 * Once a fault of Redis is over, everything goes on by itself, soon: what was handed in before, during and after it runs, once.
 * Of the chores only the relay and the promoter run on their timers here; what they do not find must be looked for without
 * being told. Jobs handed in during a fault are in the worst case: committed, marked as dispatched, and unknown to Redis.
 */
@Timeout(120)
@DisplayNameGeneration(ReplaceUnderscores.class)
class RedisFaultTest {
    private static final Logger LOG = Logger.getLogger(RedisFaultTest.class);
    private static final Duration SOON = Duration.ofSeconds(15);
    /** Longer than the time that any command is given. */
    private static final Duration A_WHILE = Duration.ofMillis(2_500);
    private static final String DATABASE = TestServers.migratedDatabase();
    /** More than the worker has slots. */
    private static final int MANY = 25;

    static {
        // The first use sets up what all share, and must not happen on two threads at once.
        Uni.createFrom().emitter(emitter -> emitter.complete(null)).await().atMost(SOON);
    }

    private final Vertx vertx = Vertx.vertx();
    private final List<UUID> ids = new ArrayList<>();
    private String name;
    private JobServers servers;
    private TcpProxy proxy;
    private WorkerProcess process;
    private RepairCrew crew;

    @BeforeEach
    void nameIt(TestInfo test) {
        name = test.getDisplayName();
    }

    @AfterEach
    void stop() {
        if (crew != null) {
            crew.promoter.stop();
            crew.crew.stop();
            process.worker.drain();
            process.close();
            proxy.close();
        }
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    private void start() {
        start(TestServers.freshRedis());
    }

    private void start(String redisUrl) {
        servers = new JobServers(DATABASE, redisUrl);
        servers.clear();
        proxy = new TcpProxy(URI.create(redisUrl));
        process = new WorkerProcess(new JobServers(DATABASE, proxy.through(redisUrl)), null, "millrace.worker.slots", "10",
                "millrace.worker.drain", "1s");
        crew = new RepairCrew(vertx, process);
        crew.crew.start();
        crew.promoter.start(Set.of(JobServers.QUEUE));
        every(Duration.ofSeconds(1), () -> crew.crew.relay());
        process.worker.start();
        handIn();
        awaitAll(SOON);
    }

    private void every(Duration period, Supplier<Uni<Void>> pass) {
        vertx.setPeriodic(period.toMillis(), tick -> pass.get().subscribe().with(done -> {}));
    }

    private void handIn() {
        UUID id = servers.insertReady();
        servers.append(id);
        ids.add(id);
    }

    /** All ids appear on the stream in one instant. */
    private void handInMany() {
        List<UUID> many = servers.insertReady(MANY);
        List<String> commands = new ArrayList<>(List.of("MULTI"));
        many.forEach(id -> commands.add("XADD " + JobServers.STREAM + " * j " + id));
        commands.add("EXEC");
        servers.redis(commands.toArray(String[]::new));
        ids.addAll(many);
    }

    /** A job that is ready, one that is scheduled, one that is retried: none of which Redis hears of. */
    private void handInWithoutRedis() {
        ids.add(servers.insertReady());
        ids.add(servers.insert("PENDING", 0, "now()", "null", "t"));
        ids.add(servers.insert("SCHEDULED", 1, "now() + interval '500 milliseconds'", "null", "t"));
        ids.add(servers.insert("RETRYING", 1, "now() + interval '2 seconds'", "null", "t"));
    }

    /** The fault is over: all jobs run, each once, and nothing is left over. */
    private void assertAllRunSoon() {
        handIn();
        long start = System.nanoTime();
        awaitAll(SOON);
        LOG.infof("%s: %d jobs had run after %.1f s", name, ids.size(), (System.nanoTime() - start) / 1e9);
        assertThat(servers.count("epoch <> 1 or lost <> 0 or failures <> 0")).isZero();
        handIn();
        awaitAll(Duration.ofSeconds(3));
    }

    private void awaitAll(Duration limit) {
        await().atMost(limit).untilAsserted(() -> assertThat(servers.count("state = 'COMPLETED'")).isEqualTo(ids.size()));
    }

    /** A fault that is over before anybody's patience would show nothing. */
    private static void letPass(Duration duration) {
        await().pollDelay(duration).until(() -> true);
    }

    /** Until a read waits for the next entry. */
    private void awaitRead() {
        await().until(() -> servers.redis("CLIENT LIST").stream().anyMatch(line -> line.contains("cmd=xreadgroup")));
    }

    @Test
    void redis_forgets_everything_while_a_read_waits() {
        start();
        handInWithoutRedis();
        awaitRead();
        servers.redis("FLUSHDB");
        assertAllRunSoon();
    }

    @Test
    void the_stream_is_deleted_while_a_read_waits() {
        start();
        handInWithoutRedis();
        awaitRead();
        servers.redis("DEL " + JobServers.STREAM);
        assertAllRunSoon();
    }

    @Test
    void the_group_is_destroyed() {
        start();
        handInWithoutRedis();
        awaitRead();
        servers.redis("XGROUP DESTROY " + JobServers.STREAM + " workers");
        assertAllRunSoon();
    }

    @Test
    void somebody_puts_a_string_where_the_stream_was_and_takes_it_away_again() {
        start();
        servers.redis("SET " + JobServers.STREAM + " mine");
        handInWithoutRedis();
        await().atMost(Duration.ofSeconds(2)).pollDelay(Duration.ofSeconds(1)).untilAsserted(() -> assertThat(
                servers.count("state = 'COMPLETED'")).isOne());
        assertThat(servers.redis("GET " + JobServers.STREAM)).as("it may be of value").contains("mine");
        servers.redis("DEL " + JobServers.STREAM);
        assertAllRunSoon();
    }

    @Test
    void all_connections_are_killed_again_and_again() {
        start();
        for (int i = 0; i < 3; i++) {
            awaitRead();
            handIn();
            servers.redis("CLIENT KILL TYPE normal SKIPME yes");
        }
        handInWithoutRedis();
        assertAllRunSoon();
    }

    @Test
    void redis_forgets_the_scripts() {
        start();
        servers.redis("SCRIPT FLUSH");
        handIn();
        assertAllRunSoon();
    }

    @Test
    void connections_lead_nowhere_and_nobody_is_told() {
        start();
        proxy.strand();
        handInWithoutRedis();
        assertAllRunSoon();
    }

    @Test
    void redis_is_away_and_comes_back() {
        start();
        proxy.cut();
        handInWithoutRedis();
        letPass(Duration.ofSeconds(1));
        proxy.resume();
        assertAllRunSoon();
    }

    @Test
    void nothing_reaches_redis_for_a_while() {
        hang(TcpProxy.Way.TO_SERVER);
    }

    @Test
    void nothing_comes_back_from_redis_for_a_while() {
        hang(TcpProxy.Way.TO_CLIENT);
    }

    private void hang(TcpProxy.Way way) {
        start();
        handIn();
        proxy.hang(way);
        handIn();
        handInWithoutRedis();
        letPass(A_WHILE);
        proxy.resume();
        assertAllRunSoon();
    }

    @Test
    void the_reply_to_a_waiting_read_is_lost() {
        start();
        proxy.loseReply("BLOCK");
        await().until(() -> proxy.hasLost());
        handIn();
        await().until(() -> proxy.lostReplies() == 1);
        assertAllRunSoon();
        assertNothingIsPending();
    }

    @Test
    void the_reply_to_a_read_of_many_entries_is_lost() {
        start();
        awaitRead();
        proxy.loseReply(process.name()); // who is the consumer of the next read, too
        handInMany();
        await().until(() -> proxy.lostReplies() == 1);
        assertAllRunSoon();
        assertNothingIsPending();
    }

    private void assertNothingIsPending() {
        await().untilAsserted(() -> assertThat(servers.pending()).isZero());
    }

    @Test
    void the_node_becomes_a_replica_and_another_takes_over() {
        try (RedisNode first = RedisNode.start(); RedisNode second = RedisNode.start()) {
            start(first.url());
            PlainRedis.ask(first.url(), "REPLICAOF 127.0.0.1 " + second.port());
            handInWithoutRedis();
            letPass(A_WHILE);
            proxy.leadTo(URI.create(second.url()));
            servers = new JobServers(DATABASE, second.url());
            servers.redis("XADD " + JobServers.STREAM + " * j " + UUID.randomUUID()); // it has nothing else
            assertAllRunSoon();
        }
    }

    @Test
    void a_script_of_somebody_else_keeps_redis_busy() {
        try (RedisNode node = RedisNode.start("--busy-reply-threshold", "100")) {
            start(node.url());
            Thread hog = new Thread(() -> PlainRedis.ask(node.url(), "EVAL \"while true do end\" 0"));
            hog.setUncaughtExceptionHandler((thread, killed) -> {});
            hog.start();
            await().ignoreExceptions().until(() -> !answers(node));
            ids.add(servers.insert("PENDING", 0, "now()", "null", "t"));
            retryInVain();
            letPass(A_WHILE);
            PlainRedis.ask(node.url(), "SCRIPT KILL");
            assertAllRunSoon();
        }
    }

    /** As after an attempt that failed: recorded, and then refused by Redis. No reader notices. */
    private void retryInVain() {
        UUID id = servers.insert("RETRYING", 1, "now() + interval '1 second'", "null", "t");
        ids.add(id);
        Uni<Void> refused = process.streams.jobs.delay(JobServers.QUEUE,
                List.of(new JobStream.Waiting(id, Priority.NORMAL, System.currentTimeMillis() + 1_000)), A_WHILE);
        assertThatThrownBy(() -> refused.await().atMost(SOON)).hasMessageContaining("BUSY");
    }

    private static boolean answers(RedisNode node) {
        try {
            return PlainRedis.ask(node.url(), "PING").contains("+PONG");
        } catch (IllegalStateException refused) {
            return false;
        }
    }

    @Test
    void redis_restarts_and_loads_its_data_for_a_while() {
        try (RedisNode node = RedisNode.start("--loading-process-events-interval-bytes", "1024", "--key-load-delay", "20000")) {
            start(node.url());
            // 20 ms each
            PlainRedis.ask(node.url(), IntStream.range(0, 100).mapToObj(i -> "SET key" + i + " " + "x".repeat(2_000))
                    .toArray(String[]::new));
            node.restart();
            handInWithoutRedis();
            await().ignoreExceptions().until(() -> !answers(node)); // refused with LOADING, not for want of a listener
            await().ignoreExceptions().until(() -> answers(node));
            assertAllRunSoon();
            assertThat(PlainRedis.ask(node.url(), "CLIENT LIST").stream().filter(line -> line.contains("id=")))
                    .as("connections: 8 that are shared, one that reads, one that asks this").hasSizeLessThanOrEqualTo(10);
        }
    }
}
