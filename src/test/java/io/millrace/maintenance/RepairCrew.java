package io.millrace.maintenance;

import io.millrace.audit.AuditConfig;
import io.millrace.support.TestConfig;
import io.millrace.worker.WorkerProcess;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;

/** The chores of one process; they do a pass when they are told to. */
final class RepairCrew {
    final Relay relay;
    final Promoter promoter;
    final DelayedLoader loader;
    final Reaper reaper;
    final Reconciler reconciler;
    final Reclaimer reclaimer;
    final ConsumerJanitor janitor;
    final EntryJanitor entryJanitor;
    final Census census;
    final Crew crew;

    RepairCrew(Vertx vertx, WorkerProcess process) {
        MaintenanceConfig config = TestConfig.of(MaintenanceConfig.class, process.settings);
        relay = new Relay(process.stores.jobs, process.streams.jobs, process.streams.window, process.streams.config, config);
        promoter = new Promoter(vertx, process.streams.jobs, process.streams.dueTimes, config);
        loader = new DelayedLoader(process.stores.jobs, process.streams.jobs, process.streams.config, config);
        reaper = new Reaper(process.stores.repair, process.streams.jobs, process.lease, config);
        reconciler = new Reconciler(process.stores.repair, process.streams.repair, process.worker, process.streams.dueTimes,
                config);
        reclaimer = new Reclaimer(process.streams.repair, process.worker, process.settlers.name, reconciler, config);
        janitor = new ConsumerJanitor(process.streams.repair, process.worker, config);
        entryJanitor = new EntryJanitor(process.streams.repair, process.worker, reconciler);
        census = new Census(process.stores.census, process.streams.repair, process.streams.hints, process.streams.cache,
                process.worker, process.settlers.name, config);
        crew = new Crew(vertx, relay, loader, reclaimer, reaper, reconciler, janitor, entryJanitor,
                new Retention(process.stores.repair, TestConfig.of(RetentionConfig.class, process.settings)),
                new KeySweeper(process.stores.keys, process.stores.effects, config,
                        TestConfig.of(RetentionConfig.class, process.settings)),
                new AuditSweeper(process.stores.audit, TestConfig.of(AuditConfig.class, process.settings), config,
                        TestConfig.of(RetentionConfig.class, process.settings)),
                census);
    }

    static <T> T pass(Uni<T> pass) {
        return pass.await().atMost(io.millrace.worker.JobServers.PATIENCE);
    }
}
