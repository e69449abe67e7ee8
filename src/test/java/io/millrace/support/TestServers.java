package io.millrace.support;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;
import java.util.Properties;
import java.util.UUID;
import java.util.stream.Stream;

import org.postgresql.Driver;

import io.millrace.local.LocalServers;
import io.millrace.store.Migrations;

/**
 * The PostgreSQL and Redis of a test run, started once in a JVM and stopped at its end. Chosen in this order: those that
 * {@code MILLRACE_DATABASE_URL} and {@code MILLRACE_REDIS_URL} name (or the properties {@code millrace.database.url} and
 * {@code millrace.redis.url}); with {@code -Dtest.servers=docker} containers; else embedded ones.
 *
 * @param databaseUrl {@code postgresql://user:password@host:port/database}
 * @param redisUrl {@code redis://host:port}
 */
public record TestServers(String databaseUrl, String redisUrl) {

    /** Properties, because Quarkus loads test classes more than once and a static field would start servers for each. */
    private static final String STARTED = "test.servers.started";
    private static final String REDIS_NUMBER = "test.servers.redis-number";

    /** Redis has 16 unless told otherwise; number 0 is left to {@link #redisUrl}. */
    private static final int LAST_REDIS_NUMBER = 15;

    public static synchronized TestServers get() {
        return given().or(TestServers::started).orElseGet(TestServers::start);
    }

    /** The URL of a new, empty database. On servers that were given it is dropped when the JVM ends. */
    public static synchronized String freshDatabase() {
        String server = get().databaseUrl();
        String name = "test_" + UUID.randomUUID().toString().replace("-", "");
        execute(server, "CREATE DATABASE " + name);
        if (given().isPresent()) {
            atEnd(() -> execute(server, "DROP DATABASE " + name + " WITH (FORCE)"));
        }
        return URI.create(server).resolve("/" + name).toString();
    }

    /** The URL of a new database with the schema of this version, in which {@link TransitionGuard} is on. */
    public static String migratedDatabase() {
        String url = freshDatabase();
        Migrations.run(url);
        TransitionGuard.install(url);
        return url;
    }

    /** The URL of an emptied Redis database: one of 15, in turn, so no test can hold more than 15 apart. */
    public static synchronized String freshRedis() {
        int number = Integer.getInteger(REDIS_NUMBER, 0) % LAST_REDIS_NUMBER + 1;
        System.setProperty(REDIS_NUMBER, String.valueOf(number));
        String url = URI.create(get().redisUrl()).resolve("/" + number).toString();
        PlainRedis.ask(url, "FLUSHDB");
        return url;
    }

    /** A JDBC connection for a look behind the application's back. */
    public static Connection connect(String databaseUrl) throws SQLException {
        URI url = URI.create(databaseUrl);
        String[] userAndPassword = url.getUserInfo().split(":", 2);
        Properties login = new Properties();
        login.setProperty("user", userAndPassword[0]);
        login.setProperty("password", userAndPassword[1]);
        // DriverManager would see only the drivers of one of the class loaders
        return new Driver().connect("jdbc:postgresql://" + url.getHost() + ":" + url.getPort() + url.getPath(), login);
    }

    private static Optional<TestServers> given() {
        Optional<String> redisUrl = setting("millrace.redis.url");
        return setting("millrace.database.url").flatMap(database -> redisUrl.map(redis -> new TestServers(database, redis)));
    }

    private static Optional<String> setting(String property) {
        String variable = property.replace('.', '_').toUpperCase(Locale.ROOT);
        return Optional.ofNullable(System.getProperty(property, System.getenv(variable)));
    }

    private static Optional<TestServers> started() {
        return Optional.ofNullable(System.getProperty(STARTED)).map(urls -> urls.split(" "))
                .map(urls -> new TestServers(urls[0], urls[1]));
    }

    private static TestServers start() {
        TestServers servers = "docker".equals(System.getProperty("test.servers")) ? DockerServers.start() : startEmbedded();
        System.setProperty(STARTED, servers.databaseUrl() + " " + servers.redisUrl());
        return servers;
    }

    private static TestServers startEmbedded() {
        try {
            Path folder = Files.createTempDirectory(Files.createDirectories(Path.of("target")), "servers-");
            LocalServers.Running running = LocalServers.find().orElseThrow().start(folder);
            atEnd(() -> {
                running.close();
                delete(folder);
            });
            return new TestServers(running.databaseUrl(), running.redisUrl());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void execute(String databaseUrl, String sql) {
        try (Connection connection = connect(databaseUrl); Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }

    private static void delete(Path folder) {
        try (Stream<Path> paths = Files.walk(folder)) {
            paths.sorted(Comparator.reverseOrder()).forEach(path -> path.toFile().delete());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void atEnd(Runnable action) {
        Runtime.getRuntime().addShutdownHook(new Thread(action, "test-servers"));
    }
}
