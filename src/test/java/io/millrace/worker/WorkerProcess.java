package io.millrace.worker;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

import com.fasterxml.jackson.databind.ObjectMapper;

import io.millrace.handler.JobHandler;
import io.millrace.handler.JobHandlers;
import io.millrace.handler.TestHandlers;
import io.millrace.settle.RecordingSettler;
import io.millrace.settle.TestSettlers;
import io.millrace.store.TestStores;
import io.millrace.stream.TestStreams;
import io.millrace.support.TestConfig;
import io.vertx.core.Vertx;

/** What a worker process consists of, without HTTP and without timers: a test may have several, and start none of them. */
public final class WorkerProcess implements AutoCloseable {
    public final TestStores stores;
    public final TestStreams streams;
    public final TestSettlers settlers;
    public final LeaseConfig lease;
    public final Worker worker;
    public final RunningJobs running = new RunningJobs();
    public final Map<String, String> settings;
    final Claimer claimer;
    final Heartbeat heartbeat;
    private final Vertx vertx = Vertx.vertx();

    /** @param settings names and values in turn, where they differ from the defaults */
    public WorkerProcess(JobServers servers, JobHandler<?> handler, String... settings) {
        Map<String, String> all = new HashMap<>();
        for (int i = 0; i < settings.length; i += 2) {
            all.put(settings[i], settings[i + 1]);
        }
        this.settings = Map.copyOf(all);
        JobHandlers handlers = handler == null ? TestHandlers.trial() : TestHandlers.of(handler);
        stores = new TestStores(vertx, servers.databaseUrl());
        streams = new TestStreams(vertx, servers.redisUrl(), all);
        settlers = new TestSettlers(vertx, stores, streams);
        lease = TestConfig.of(LeaseConfig.class, all);
        WorkerConfig config = TestConfig.of(WorkerConfig.class, all);
        claimer = new Claimer(vertx, stores.jobs, streams.repair, settlers.acknowledger, settlers.name, lease, config);
        Runner runner = new Runner(vertx, handlers, new ObjectMapper(), settlers.settler, RecordingSettler.CONFIG, running);
        heartbeat = new Heartbeat(running, lease, stores.config, streams.jobs, settlers.name);
        worker = new Worker(vertx, claimer, runner, settlers.acknowledger, settlers.settler, running, heartbeat, config,
                settlers.name, streams.jobs, streams.server, streams.config, List.of(JobServers.QUEUE));
    }

    public String name() {
        return settlers.name.value();
    }

    /** As if it were killed: nothing is handed back, nothing recorded. */
    @Override
    public void close() {
        heartbeat.close();
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }
}
