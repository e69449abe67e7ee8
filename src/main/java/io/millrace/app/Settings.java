package io.millrace.app;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

import io.millrace.store.DatabaseUrl;
import io.millrace.worker.Worker;
import io.quarkus.runtime.configuration.DurationConverter;

/**
 * What is needed before Quarkus starts, from system properties ({@code millrace.mode}) or the environment
 * ({@code MILLRACE_MODE}).
 *
 * @param databaseUrl null if embedded servers are to be started, and then {@code redisUrl} is null too
 * @param migrates whether this process brings the schema up to date, or waits until another has done so
 */
record Settings(Mode mode, String databaseUrl, String redisUrl, int httpPort, int managementPort, Path localDir,
        boolean migrates) {

    private static final int MOST_PORT = 65_535;
    private static final Duration LONGEST_PATIENCE = Duration.ofHours(1);

    /** @throws StartFailure if a setting cannot be used; the message names it and says what to do */
    static Settings read() {
        Mode mode = Mode.named(setting("millrace.mode").orElse("all"));
        String databaseUrl = setting("millrace.database.url").orElse(null);
        String redisUrl = setting("millrace.redis.url").orElse(null);
        if (databaseUrl == null && redisUrl != null) {
            throw StartFailure
                    .usage("MILLRACE_REDIS_URL is set but MILLRACE_DATABASE_URL is not: set both for your own servers, "
                            + "or neither to start embedded ones");
        }
        if (databaseUrl != null && redisUrl == null) {
            throw StartFailure
                    .usage("MILLRACE_DATABASE_URL is set but MILLRACE_REDIS_URL is not: set both for your own servers, "
                            + "or neither to start embedded ones");
        }
        if (databaseUrl != null) {
            check(databaseUrl, redisUrl);
        }
        checkQueues();
        int httpPort = port("millrace.http.port", 8080);
        int managementPort = port("millrace.management.port", 9000);
        if (mode.serves() && httpPort == managementPort && httpPort != 0) {
            throw StartFailure.usage("MILLRACE_HTTP_PORT and MILLRACE_MANAGEMENT_PORT are both " + httpPort
                    + ": set one of them to another port");
        }
        return new Settings(mode, databaseUrl, redisUrl, httpPort, managementPort,
                Path.of(setting("millrace.local.dir").orElse(".millrace")).toAbsolutePath().normalize(),
                migrates(databaseUrl == null));
    }

    private static boolean migrates(boolean isEmbedded) {
        String text = setting("millrace.migrate").orElse("true");
        if (text.equalsIgnoreCase("true")) {
            return true;
        }
        if (!text.equalsIgnoreCase("false")) {
            throw StartFailure.usage("MILLRACE_MIGRATE is '" + text + "': set it to true or false");
        }
        if (isEmbedded) {
            throw StartFailure
                    .usage("MILLRACE_MIGRATE is false, but nobody else migrates embedded servers: leave it out, or set "
                            + "MILLRACE_DATABASE_URL and MILLRACE_REDIS_URL");
        }
        return false;
    }

    /**
     * For a command that needs PostgreSQL alone.
     *
     * @throws StartFailure if there is no such setting, or it cannot be used
     */
    static String requiredDatabaseUrl() {
        String url = setting("millrace.database.url").orElseThrow(() -> StartFailure.usage("MILLRACE_DATABASE_URL is not set: "
                + "set it to postgresql://user:password@host:port/database"));
        checkDatabase(url);
        return url;
    }

    /** @return how long a start waits for PostgreSQL, and then for Redis, to answer */
    static Duration startPatience() {
        String text = setting("millrace.start-patience").orElse("30s");
        try {
            Duration patience = DurationConverter.parseDuration(text);
            if (!patience.isNegative() && patience.compareTo(LONGEST_PATIENCE) <= 0) {
                return patience;
            }
        } catch (IllegalArgumentException notADuration) {
            // said below
        }
        throw StartFailure.usage("MILLRACE_START_PATIENCE is '" + text + "': set it to a duration from 0s to 1h, such as 30s");
    }

    private static void checkQueues() {
        setting("millrace.queues").ifPresent(queues -> {
            try {
                Worker.checkQueues(List.of(queues.split(",")));
            } catch (IllegalArgumentException e) {
                throw StartFailure.usage(e.getMessage());
            }
        });
    }

    boolean isEmbedded() {
        return databaseUrl == null;
    }

    private static void checkDatabase(String url) {
        try {
            DatabaseUrl.parse(url);
        } catch (IllegalArgumentException e) {
            throw StartFailure.usage("MILLRACE_DATABASE_URL cannot be used: " + e.getMessage()
                    + "; set it to postgresql://user:password@host:port/database");
        }
    }

    private static void check(String databaseUrl, String redisUrl) {
        checkDatabase(databaseUrl);
        String fault = faultOfRedisUrl(redisUrl);
        if (fault != null) {
            throw StartFailure.usage("MILLRACE_REDIS_URL cannot be used: " + fault + "; set it to "
                    + "redis://[:password@]host:port[/db]");
        }
    }

    /** @return what is wrong, without the password, or null */
    private static String faultOfRedisUrl(String url) {
        if (!url.startsWith("redis://") && !url.startsWith("rediss://")) {
            return "it must start with redis:// or rediss://";
        }
        try {
            URI uri = new URI(url);
            if (uri.getHost() == null) {
                return "it names no host";
            }
            return uri.getPort() > MOST_PORT ? "there is no port " + uri.getPort() : null;
        } catch (URISyntaxException e) {
            return "it is not a URL (special characters in the password must be %-encoded)";
        }
    }

    private static int port(String name, int otherwise) {
        String text = setting(name).orElse(null);
        if (text == null) {
            return otherwise;
        }
        try {
            int port = Integer.parseInt(text);
            if (port >= 0 && port <= MOST_PORT) {
                return port;
            }
        } catch (NumberFormatException notANumber) {
            // said below
        }
        throw StartFailure.usage(variable(name) + " is '" + text + "': set it to a port from 1 to 65535");
    }

    static Optional<String> setting(String name) {
        String value = System.getProperty(name, System.getenv(variable(name)));
        return Optional.ofNullable(value).map(String::strip).filter(text -> !text.isEmpty());
    }

    static String variable(String name) {
        return name.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_');
    }
}
