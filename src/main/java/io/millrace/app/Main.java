package io.millrace.app;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

import org.jboss.logging.Logger;

import io.millrace.local.LocalServers;
import io.millrace.local.LocalServersException;
import io.quarkus.runtime.Application;
import io.quarkus.runtime.LaunchMode;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.annotations.QuarkusMain;

/**
 * Starts a Millrace process: settings, stores, schema, then everything else. {@code keys} makes keys instead, and {@code migrate}
 * brings the schema up to date.
 */
@QuarkusMain
public final class Main {
    private static final Logger LOG = Logger.getLogger(Main.class);
    private static final String API_DRAIN = "millrace.api.drain";

    Main() {}

    public static void main(String... args) {
        String refusal = "cannot start: ";
        try {
            if (KeysCommand.isMeant(args)) {
                refusal = "made no keys: ";
                KeysCommand.run(args).forEach(System.out::println);
                return;
            }
            if (MigrateCommand.isMeant(args)) {
                refusal = "did not migrate: ";
                System.out.println(MigrateCommand.run(args));
                return;
            }
            prepare();
        } catch (StartFailure failure) {
            tell(refusal, failure);
        }
        Quarkus.run(null, Main::end, args);
    }

    /** @param failure null if the application had started; Quarkus leaves it to us to tell of it */
    private static void end(int code, Throwable failure) {
        if (failure != null) {
            tell("cannot start: ", StartFailure.of(failure));
        }
        System.exit(code == 0 && Lifecycle.hasLeftJobs() ? ExitCode.JOBS_LEFT : code);
    }

    /** A start that a signal cut short has failed at whatever it had come to; that is nobody's fault, and not told. */
    private static void tell(String what, StartFailure failure) {
        if (!isEnding()) {
            System.err.println("millrace " + what + failure.getMessage());
        }
        System.exit(failure.exitCode());
    }

    /** The JVM refuses changes to its hooks once it is ending, and has no other way to ask. */
    private static boolean isEnding() {
        try {
            Runtime.getRuntime().removeShutdownHook(Thread.currentThread());
            return false;
        } catch (IllegalStateException ending) {
            return true;
        }
    }

    /** Everything whose failure is one clear line. In dev mode this runs again at each reload, and finds its work done. */
    private static void prepare() {
        Settings settings = Settings.read();
        AuthSettings auth = AuthSettings.read(settings);
        LogFormat logFormat = LogFormat.read();
        CorsOrigins cors = CorsOrigins.read();
        if (LaunchMode.current() != LaunchMode.DEVELOPMENT) {
            checkPorts(settings);
        }
        String databaseUrl = settings.databaseUrl();
        String redisUrl = settings.redisUrl();
        if (settings.isEmbedded()) {
            LocalServers.Running servers = startEmbedded(settings);
            databaseUrl = servers.databaseUrl();
            redisUrl = servers.redisUrl();
        }
        auth.prepareKeys();
        checkStores(settings, databaseUrl, redisUrl);
        configure(settings, databaseUrl, redisUrl);
        auth.configure();
        logFormat.configure();
        cors.configure();
    }

    private static void checkStores(Settings settings, String databaseUrl, String redisUrl) {
        Duration patience = Settings.startPatience();
        String otherDatabase = settings.isEmbedded() ? "remove " + settings.localDir() : MigrateCommand.OTHER_DATABASE;
        Preflight.patiently(patience, () -> {
            if (settings.migrates()) {
                migrate(databaseUrl, otherDatabase);
            } else {
                Preflight.checkSchema(databaseUrl, otherDatabase);
            }
        });
        Preflight.patiently(patience, () -> Preflight.checkRedis(redisUrl));
    }

    private static void migrate(String databaseUrl, String otherDatabase) {
        int count = Preflight.migrate(databaseUrl, otherDatabase);
        if (count > 0) {
            LOG.infof("schema brought up to date by %d migrations", count);
        }
    }

    private static void checkPorts(Settings settings) {
        if (settings.mode().serves()) {
            Preflight.checkPortIsFree("MILLRACE_HTTP_PORT", settings.httpPort());
        }
        Preflight.checkPortIsFree("MILLRACE_MANAGEMENT_PORT", settings.managementPort());
    }

    private static LocalServers.Running startEmbedded(Settings settings) {
        LocalServers local = LocalServers.find().orElseThrow(() -> StartFailure.usage("this build has no embedded servers: set "
                + "MILLRACE_DATABASE_URL=postgresql://user:password@host:port/database and MILLRACE_REDIS_URL=redis://host:port"));
        LOG.infof("no MILLRACE_DATABASE_URL: starting embedded PostgreSQL and Redis in %s", settings.localDir());
        // the hook comes first: a signal in the middle of the start would leave the servers behind
        CompletableFuture<Optional<LocalServers.Running>> starting = new CompletableFuture<>();
        try {
            stopAtExit(starting);
            LocalServers.Running servers = local.start(settings.localDir());
            starting.complete(Optional.of(servers));
            return servers;
        } catch (LocalServersException e) {
            throw StartFailure.environment(e.getMessage());
        } finally {
            starting.complete(Optional.empty());
        }
    }

    private static void stopAtExit(CompletableFuture<Optional<LocalServers.Running>> starting) {
        Thread stop = new Thread(() -> starting.join().ifPresent(Main::stop), "stop-embedded-servers");
        try {
            Runtime.getRuntime().addShutdownHook(stop);
        } catch (IllegalStateException alreadyStopping) {
            throw StartFailure.environment("the process is being stopped");
        }
    }

    /** Runs beside Quarkus's own shutdown: the application needs its stores until it has drained. */
    private static void stop(LocalServers.Running servers) {
        Application application = Application.currentApplication();
        if (application != null) {
            application.awaitShutdown();
        }
        servers.close();
    }

    /** System properties, because they outrank whatever else Quarkus reads. */
    private static void configure(Settings settings, String databaseUrl, String redisUrl) {
        if (settings.isEmbedded() && Settings.setting(API_DRAIN).isEmpty()) {
            System.setProperty(API_DRAIN, "0s"); // no balancer stands before a trial, and Ctrl-C is to be quick
        }
        if (!settings.mode().serves()) {
            System.setProperty("quarkus.shutdown.delay", "0s"); // a worker would go on reading jobs meanwhile
        }
        System.setProperty("millrace.mode", settings.mode().label());
        System.setProperty("millrace.database.url", databaseUrl);
        System.setProperty("millrace.redis.url", redisUrl);
        System.setProperty("quarkus.http.host-enabled", Boolean.toString(settings.mode().serves()));
        System.setProperty("quarkus.hibernate-orm.active", Boolean.toString(settings.mode().serves()));
    }
}
