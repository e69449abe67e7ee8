package io.millrace.app;

import java.util.Set;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

import org.eclipse.microprofile.config.inject.ConfigProperty;

import io.millrace.maintenance.Crew;
import io.millrace.maintenance.Promoter;
import io.millrace.worker.Worker;
import io.millrace.worker.WorkerConfig;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;

/** Starts what this process does, in order, and stops it in the reverse order. The schema is up to date by then. */
@ApplicationScoped
class Lifecycle {
    private final Mode mode;
    private final Worker worker;
    private final WorkerConfig config;
    private final Crew crew;
    private final Promoter promoter;

    Lifecycle(@ConfigProperty(name = "millrace.mode") Mode mode, Worker worker, WorkerConfig config,
            Crew crew, Promoter promoter) {
        this.mode = mode;
        this.worker = worker;
        this.config = config;
        this.crew = crew;
        this.promoter = promoter;
    }

    void start(@Observes StartupEvent event) {
        // In every mode: whoever delays a job wakes up when it is due, so that none waits for somebody's next look.
        promoter.start(mode.works() ? Set.copyOf(worker.queues()) : Set.of());
        if (mode.works()) {
            worker.onHopeless(() -> HopelessProcess.end(config.drain()));
            crew.start();
            worker.start();
        }
    }

    void stop(@Observes ShutdownEvent event) {
        crew.stop();
        promoter.stop();
        worker.drain();
    }
}
