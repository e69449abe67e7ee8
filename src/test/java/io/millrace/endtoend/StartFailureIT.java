package io.millrace.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;

import org.awaitility.Awaitility;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import io.millrace.support.MillraceProcess;
import io.millrace.support.TcpProxy;
import io.millrace.support.TestServers;

/** A process that cannot start says why in one line, and ends. */
@Timeout(120)
@DisplayNameGeneration(ReplaceUnderscores.class)
class StartFailureIT {

    private static final String DATABASE = "MILLRACE_DATABASE_URL";
    private static final String REDIS = "MILLRACE_REDIS_URL";
    private static final int USAGE = 2;
    private static final int ENVIRONMENT = 1;

    private static void assertRefused(Map<String, String> settings, int exitCode, String... words) {
        try (MillraceProcess process = MillraceProcess.start(settings)) {
            assertThat(process.awaitExit()).as(process.output()).isEqualTo(exitCode);
            assertThat(process.errors().lines()).hasSize(1).first().asString().startsWith("millrace cannot start: ")
                    .contains(words);
        }
    }

    private static Map<String, String> settings(String... others) {
        Map<String, String> settings = new HashMap<>(
                Map.of(DATABASE, TestServers.get().databaseUrl(), REDIS, TestServers.get().redisUrl()));
        for (int i = 0; i < others.length; i += 2) {
            settings.put(others[i], others[i + 1]);
        }
        return settings;
    }

    private static int closedPort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    @Test
    void a_mode_that_does_not_exist() {
        assertRefused(settings("MILLRACE_MODE", "wroker"), USAGE, "MILLRACE_MODE", "'wroker'", "api, worker or all");
    }

    @Test
    void an_API_that_asks_who_calls_without_a_key_to_sign_tokens_with() {
        assertRefused(settings("MILLRACE_AUTH", ""), USAGE, "MILLRACE_AUTH is required", "openssl genpkey",
                "MILLRACE_AUTH_PRIVATE_KEY", "MILLRACE_AUTH=open");
        assertRefused(settings("MILLRACE_AUTH", "required", "MILLRACE_AUTH_PRIVATE_KEY", "nowhere.pem",
                "MILLRACE_AUTH_PUBLIC_KEY", "nowhere.pem"), USAGE, "nowhere.pem cannot be read", "openssl genpkey");
    }

    @Test
    void an_open_API_on_an_address_that_others_reach() {
        assertRefused(settings("MILLRACE_HTTP_HOST", "0.0.0.0"), USAGE, "MILLRACE_AUTH is open",
                "MILLRACE_HTTP_HOST is 0.0.0.0",
                "MILLRACE_AUTH_OPEN_ANYWHERE");
    }

    @Test
    void a_port_that_is_none() {
        assertRefused(settings("MILLRACE_HTTP_PORT", "http"), USAGE, "MILLRACE_HTTP_PORT", "'http'");
    }

    @Test
    void two_ports_that_are_one() {
        assertRefused(settings("MILLRACE_HTTP_PORT", "18080", "MILLRACE_MANAGEMENT_PORT", "18080"), USAGE,
                "MILLRACE_HTTP_PORT and MILLRACE_MANAGEMENT_PORT are both 18080");
    }

    @Test
    void queues_that_cannot_be_read() {
        assertRefused(settings("MILLRACE_QUEUES", "default,mails:none"), USAGE, "MILLRACE_QUEUES", "'mails:none'",
                "name:slots");
    }

    @Test
    void one_server_without_the_other() {
        assertRefused(Map.of(DATABASE, TestServers.get().databaseUrl()), USAGE, REDIS + " is not", "both", "neither");
        assertRefused(Map.of(REDIS, TestServers.get().redisUrl()), USAGE, DATABASE + " is not", "both", "neither");
    }

    @ParameterizedTest
    @CsvSource({
            DATABASE + ",localhost:5432,it must start with postgresql://",
            DATABASE + ",postgresql://localhost/millrace,it names no user",
            DATABASE + ",postgresql://user:p%ss@localhost/millrace,special characters in the password must be %-encoded",
            DATABASE + ",postgresql://user:pass@localhost:99999/millrace,there is no port 99999",
            REDIS + ",redis://localhost:99999,there is no port 99999",
            REDIS + ",localhost:6379,it must start with redis://",
            REDIS + ",redis://,redis://[:password@]host:port",
            REDIS + ",redis:///0,redis://[:password@]host:port",
            REDIS + ",redis://:p%ss@localhost,redis://[:password@]host:port"})
    void a_URL_that_cannot_be_read(String variable, String url, String why) {
        assertRefused(settings(variable, url), USAGE, variable + " cannot be used", why);
    }

    /** They are looked at when the application is about to start, by those who own them. */
    @ParameterizedTest
    @CsvSource({"MILLRACE_LEASE_DURATION,1ms,millrace.lease", "MILLRACE_MAIL_FROM,nobody,millrace.mail.from",
            "MILLRACE_MAIL_USERNAME,me,millrace.mail.password-file", "MILLRACE_MAIL_PORT,99999,millrace.mail.port",
            "MILLRACE_MAIL_START_TLS,maybe,millrace.mail.start-tls", "MILLRACE_MAIL_PASSWORD_FILE,/nowhere,millrace.mail"})
    void a_setting_of_a_part_that_cannot_be_used(String variable, String value, String key) {
        assertSays(settings(DATABASE, TestServers.migratedDatabase(), variable, value), key);
    }

    @Test
    void a_template_for_mails_that_is_none(@TempDir Path folder) throws IOException {
        Files.writeString(folder.resolve("broken.txt"), "{#if x}");
        assertSays(settings(DATABASE, TestServers.migratedDatabase(), "MILLRACE_MAIL_TEMPLATES", folder.toString()),
                "millrace.mail.templates");
    }

    /** Before it knows where its log goes, the application writes that to standard error as well. */
    private static void assertSays(Map<String, String> settings, String key) {
        try (MillraceProcess process = MillraceProcess.start(settings)) {
            assertThat(process.awaitExit()).as(process.output() + process.errors()).isEqualTo(USAGE);
            assertThat(process.errors().lines().filter(line -> line.startsWith("millrace cannot start: "))).hasSize(1)
                    .first().asString().contains(key);
        }
    }

    @Test
    void a_postgresql_that_cannot_be_reached() throws IOException {
        int port = closedPort();
        assertRefused(settings(DATABASE, "postgresql://user:secret@127.0.0.1:" + port + "/millrace"), ENVIRONMENT,
                "PostgreSQL at 127.0.0.1:" + port + "/millrace cannot be used", "check that it runs", DATABASE);
    }

    @Test
    void a_postgresql_that_does_not_know_the_password() {
        URI url = URI.create(TestServers.get().databaseUrl());
        assertRefused(settings(DATABASE, "postgresql://millrace:wrong@" + url.getHost() + ":" + url.getPort() + url.getPath()),
                ENVIRONMENT, "password authentication failed", DATABASE);
    }

    @Test
    void a_redis_that_cannot_be_reached() throws IOException {
        int port = closedPort();
        assertRefused(settings(DATABASE, TestServers.migratedDatabase(), REDIS, "redis://127.0.0.1:" + port), ENVIRONMENT,
                "Redis at 127.0.0.1:" + port + " cannot be used", "check that it runs", REDIS);
    }

    @Test
    void servers_that_come_up_after_the_process_are_waited_for() {
        String database = TestServers.freshDatabase();
        String redis = TestServers.freshRedis();
        try (TcpProxy toDatabase = new TcpProxy(URI.create(database)); TcpProxy toRedis = new TcpProxy(URI.create(redis))) {
            toDatabase.cut();
            toRedis.cut();
            try (MillraceProcess process = MillraceProcess.start(settings(DATABASE, toDatabase.through(database), REDIS,
                    toRedis.through(redis), "MILLRACE_START_PATIENCE", "60s"))) {
                awaitSaid(process, "millrace waits", "PostgreSQL at");
                toDatabase.resume();
                awaitSaid(process, "millrace waits", "Redis at");
                toRedis.resume();
                process.awaitReady();
            }
        }
    }

    private static void awaitSaid(MillraceProcess process, String... words) {
        Awaitility.await().atMost(Duration.ofSeconds(30)).until(
                () -> process.errors().lines().anyMatch(line -> Stream.of(words).allMatch(line::contains)));
    }

    @Test
    void a_patience_that_is_none() {
        assertRefused(settings("MILLRACE_START_PATIENCE", "soon"), USAGE, "MILLRACE_START_PATIENCE", "'soon'", "30s");
        assertRefused(settings("MILLRACE_START_PATIENCE", "2h"), USAGE, "MILLRACE_START_PATIENCE", "'2h'");
    }

    @Test
    void a_port_that_another_process_has() throws IOException {
        try (ServerSocket busy = new ServerSocket(0)) {
            String port = Integer.toString(busy.getLocalPort());
            assertRefused(settings("MILLRACE_HTTP_PORT", port), ENVIRONMENT, "port " + port + " is in use",
                    "MILLRACE_HTTP_PORT");
            assertRefused(settings("MILLRACE_MANAGEMENT_PORT", port), ENVIRONMENT, "port " + port + " is in use",
                    "MILLRACE_MANAGEMENT_PORT");
        }
    }
}
