package io.millrace.app;

import java.time.Duration;

import org.jboss.logging.Logger;

import io.millrace.local.LocalServers;
import io.millrace.local.LocalServersException;
import io.quarkus.runtime.Application;
import io.quarkus.runtime.LaunchMode;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.annotations.QuarkusMain;

/** Starts a Millrace process: settings, stores, schema, then everything else. {@code keys} makes keys instead. */
@QuarkusMain
public final class Main {
    private static final Logger LOG = Logger.getLogger(Main.class);

    Main() {}

    public static void main(String... args) {
        try {
            if (KeysCommand.isMeant(args)) {
                KeysCommand.run(args).forEach(System.out::println);
                return;
            }
            prepare();
        } catch (StartFailure failure) {
            System.err.println(
                    "millrace " + (KeysCommand.isMeant(args) ? "made no keys: " : "cannot start: ") + failure.getMessage());
            System.exit(failure.exitCode());
        }
        Quarkus.run(null, Main::end, args);
    }

    /** @param failure null if the application had started; Quarkus leaves it to us to tell of it */
    private static void end(int code, Throwable failure) {
        if (failure != null) {
            StartFailure told = StartFailure.of(failure);
            System.err.println("millrace cannot start: " + told.getMessage());
            System.exit(told.exitCode());
        }
        System.exit(code == 0 && Lifecycle.hasLeftJobs() ? ExitCode.JOBS_LEFT : code);
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
        Preflight.patiently(patience, () -> Preflight.migrate(databaseUrl,
                settings.isEmbedded() ? "remove " + settings.localDir() : "name an empty database"));
        Preflight.patiently(patience, () -> Preflight.checkRedis(redisUrl));
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
        try {
            LocalServers.Running servers = local.start(settings.localDir());
            Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(servers), "stop-embedded-servers"));
            return servers;
        } catch (LocalServersException e) {
            throw StartFailure.environment(e.getMessage());
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
        System.setProperty("millrace.mode", settings.mode().label());
        System.setProperty("millrace.database.url", databaseUrl);
        System.setProperty("millrace.redis.url", redisUrl);
        System.setProperty("quarkus.http.host-enabled", Boolean.toString(settings.mode().serves()));
        System.setProperty("quarkus.hibernate-orm.active", Boolean.toString(settings.mode().serves()));
    }
}
