package io.millrace.app;

import java.util.List;
import java.util.Set;

import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.interceptor.Interceptor;

import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

import io.millrace.account.AuthConfig;
import io.millrace.account.AuthMode;
import io.millrace.maintenance.Crew;
import io.millrace.maintenance.Promoter;
import io.millrace.worker.Worker;
import io.millrace.worker.WorkerConfig;
import io.quarkus.runtime.LaunchMode;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.smallrye.mutiny.infrastructure.Infrastructure;
import sun.misc.Signal;

/** Starts what this process does, in order, and stops it in the reverse order. The schema is up to date by then. */
@ApplicationScoped
class Lifecycle {
    private static final Logger LOG = Logger.getLogger(Lifecycle.class);

    private final Mode mode;
    private final Worker worker;
    private final WorkerConfig config;
    private final Crew crew;
    private final Promoter promoter;
    private final AuthConfig auth;
    /** Static: the bean is gone when the process says with which code it ends. */
    private static volatile boolean hasLeftJobs;

    Lifecycle(@ConfigProperty(name = "millrace.mode") Mode mode, Worker worker, WorkerConfig config,
            Crew crew, Promoter promoter, AuthConfig auth) {
        this.mode = mode;
        this.worker = worker;
        this.config = config;
        this.crew = crew;
        this.promoter = promoter;
        this.auth = auth;
    }

    /** @return true if this process has stopped, and left jobs to their leases */
    static boolean hasLeftJobs() {
        return hasLeftJobs;
    }

    /** Before anything is built of Unis. */
    void doWithoutContexts(@Observes @Priority(Interceptor.Priority.PLATFORM_BEFORE) StartupEvent event) {
        // Nothing here uses thread-bound contexts (application.properties says so, too), and looking for them at every step of
        // every pipeline takes a seventh of a worker's time.
        Infrastructure.clearInterceptors();
    }

    void start(@Observes StartupEvent event) {
        if (LaunchMode.current() == LaunchMode.NORMAL) {
            stopOnSignal();
        }
        // In every mode: whoever delays a job wakes up when it is due, so that none waits for somebody's next look.
        promoter.start(mode.works() ? Set.copyOf(worker.queues()) : Set.of());
        if (mode.serves() && auth.mode() == AuthMode.REQUIRED && auth.signUp()) {
            LOG.info("whoever reaches the API may sign up, and hand in jobs of a tenant of their own; "
                    + "MILLRACE_AUTH_SIGN_UP=false closes that door");
        }
        if (mode.works()) {
            worker.onHopeless(() -> HopelessProcess.end(config.drain()));
            crew.start();
            worker.start();
        }
    }

    void stop(@Observes ShutdownEvent event) {
        crew.stop();
        promoter.stop();
        hasLeftJobs = !worker.drain();
    }

    /**
     * As if the application ended by itself: left alone, the JVM would end with 143 whatever became of the jobs. A second signal
     * finds the stop under way and changes nothing.
     */
    private static void stopOnSignal() {
        for (String name : List.of("TERM", "INT")) {
            try {
                Signal.handle(new Signal(name), signal -> Quarkus.asyncExit());
            } catch (IllegalArgumentException notOurs) { // java -Xrs, or a system without this signal: it ends us in its own way
                LOG.debugf("signal %s cannot be handled: %s", name, notOurs.getMessage());
            }
        }
    }
}
