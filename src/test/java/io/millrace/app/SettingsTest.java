package io.millrace.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayNameGeneration(ReplaceUnderscores.class)
class SettingsTest {

    static final String DATABASE_URL = "postgresql://millrace:secret@db:5432/millrace";
    static final String REDIS_URL = "redis://cache:6379";
    static final List<String> NAMES = List.of("millrace.mode", "millrace.database.url", "millrace.redis.url",
            "millrace.http.port", "millrace.management.port", "millrace.local.dir", "millrace.migrate",
            "millrace.queues", "millrace.auth",
            "millrace.auth.private-key", "millrace.auth.public-key", "millrace.auth.open-anywhere", "millrace.http.host");

    final Map<String, String> before = new HashMap<>();

    /** An empty property hides the environment variable of the same name. */
    @BeforeEach
    void hideWhatIsSet() {
        NAMES.forEach(name -> before.put(name, System.setProperty(name, "")));
    }

    @AfterEach
    void restoreWhatWasSet() {
        before.forEach((name, value) -> {
            if (value == null) {
                System.clearProperty(name);
            } else {
                System.setProperty(name, value);
            }
        });
    }

    static void set(String name, String value) {
        System.setProperty("millrace." + name, value);
    }

    static void setStores() {
        set("database.url", DATABASE_URL);
        set("redis.url", REDIS_URL);
    }

    static StartFailure refusal() {
        StartFailure refusal = catchThrowableOfType(StartFailure.class, Settings::read);
        assertThat(refusal).isNotNull();
        assertThat(refusal.getMessage()).doesNotContain("\n").doesNotContain("secret");
        assertThat(refusal.exitCode()).isEqualTo(2);
        return refusal;
    }

    @Test
    void without_settings_one_process_does_everything_with_embedded_servers() {
        assertThat(Settings.read()).isEqualTo(
                new Settings(Mode.ALL, null, null, 8080, 9000, Path.of("").toAbsolutePath().resolve(".millrace"), true));
        assertThat(Settings.read().isEmbedded()).isTrue();
    }

    @Test
    void every_setting_can_be_given() {
        setStores();
        set("mode", " Worker ");
        set("http.port", "80");
        set("management.port", "0");
        set("local.dir", "/tmp/x/../data");

        assertThat(Settings.read())
                .isEqualTo(new Settings(Mode.WORKER, DATABASE_URL, REDIS_URL, 80, 0, Path.of("/tmp/data"), true));
        assertThat(Settings.read().isEmbedded()).isFalse();
    }

    @Test
    void one_store_without_the_other_is_refused() {
        set("redis.url", REDIS_URL);
        assertThat(refusal()).hasMessageContaining("MILLRACE_DATABASE_URL is not");

        set("redis.url", "");
        set("database.url", DATABASE_URL);
        assertThat(refusal()).hasMessageContaining("MILLRACE_REDIS_URL is not");
    }

    @ParameterizedTest
    @ValueSource(strings = {"mysql://u:secret@db/millrace", "db:5432", "postgresql://u:secret@db", "postgresql://db/millrace",
            "postgresql://u:secret%@db/millrace", "postgresql:///millrace"})
    void a_database_url_that_cannot_be_used_is_refused_without_telling_the_password(String url) {
        setStores();
        set("database.url", url);
        assertThat(refusal()).hasMessageStartingWith("MILLRACE_DATABASE_URL cannot be used: it ")
                .hasMessageContaining("set it to postgresql://user:password@host:port/database");
    }

    @ParameterizedTest
    @ValueSource(strings = {"cache:6379", "http://cache", "redis://", "redis:///1", "redis://:secret%@cache",
            "redis://my cache",
            "rediss://my_cache:6379"})
    void a_redis_url_that_cannot_be_used_is_refused_without_telling_the_password(String url) {
        setStores();
        set("redis.url", url);
        assertThat(refusal()).hasMessageStartingWith("MILLRACE_REDIS_URL cannot be used: it ")
                .hasMessageContaining("set it to redis://[:password@]host:port[/db]");
    }

    @ParameterizedTest
    @CsvSource({"http.port, MILLRACE_HTTP_PORT, 65536", "http.port, MILLRACE_HTTP_PORT, eighty",
            "management.port, MILLRACE_MANAGEMENT_PORT, -1"})
    void a_port_that_is_none_is_refused(String name, String variable, String port) {
        set(name, port);
        assertThat(refusal()).hasMessage(variable + " is '" + port + "': set it to a port from 1 to 65535");
    }

    @Test
    void two_ports_that_are_one_are_refused_by_whoever_opens_both() {
        set("http.port", "9000");
        assertThat(refusal()).hasMessage(
                "MILLRACE_HTTP_PORT and MILLRACE_MANAGEMENT_PORT are both 9000: set one of them to another port");

        set("mode", "worker");
        assertThat(Settings.read().httpPort()).isEqualTo(9000);
        set("mode", "api");
        set("http.port", "0");
        set("management.port", "0");
        assertThat(Settings.read().httpPort()).as("any free port").isZero();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {"Mails | 'Mails' is not a queue name",
            "a,,b | '' is not a queue name",
            "a:0 | 'a:0' must be name or name:slots", "a:many | 'a:many' must be name or name:slots",
            "a:10001 | 'a:10001' must be", "a,b:2,a | names the queue a twice"})
    void queues_that_cannot_be_read_are_refused(String queues, String why) {
        set("queues", queues);
        assertThat(refusal()).hasMessageStartingWith("MILLRACE_QUEUES").hasMessageContaining(why);
    }

    @Test
    void queues_with_and_without_a_limit_can_be_given() {
        set("queues", "default, images:4 ,x.y_z-1:10000");
        assertThat(Settings.read().mode()).isEqualTo(Mode.ALL);
    }

    @Test
    void an_unknown_mode_is_refused() {
        set("mode", "server");
        assertThat(refusal()).hasMessage("MILLRACE_MODE is 'server': set it to api, worker or all");
    }

    @ParameterizedTest
    @EnumSource
    void every_mode_is_found_by_its_label_in_any_case(Mode mode) {
        assertThat(Mode.named(mode.label())).isEqualTo(mode);
        assertThat(Mode.named(mode.name())).isEqualTo(mode);
    }

    @ParameterizedTest
    @CsvSource({"API, true, false", "WORKER, false, true", "ALL, true, true"})
    void a_mode_says_what_the_process_does(Mode mode, boolean serves, boolean works) {
        assertThat(mode.serves()).isEqualTo(serves);
        assertThat(mode.works()).isEqualTo(works);
    }

    @Test
    void a_process_migrates_unless_told_otherwise() {
        setStores();
        assertThat(Settings.read().migrates()).isTrue();
        set("migrate", "false");
        assertThat(Settings.read().migrates()).isFalse();
        set("migrate", "no");
        assertThat(refusal()).hasMessageContaining("MILLRACE_MIGRATE is 'no'");
    }

    @Test
    void embedded_servers_have_nobody_else_to_migrate_them() {
        set("migrate", "false");
        assertThat(refusal()).hasMessageContaining("MILLRACE_MIGRATE is false");
    }

    @Test
    void a_command_that_needs_postgresql_alone_asks_for_no_redis() {
        set("database.url", DATABASE_URL);
        assertThat(Settings.requiredDatabaseUrl()).isEqualTo(DATABASE_URL);
        set("database.url", "");
        assertThatThrownBy(Settings::requiredDatabaseUrl).hasMessageContaining("MILLRACE_DATABASE_URL is not set");
        set("database.url", "db:5432");
        assertThatThrownBy(Settings::requiredDatabaseUrl).hasMessageContaining("it must start with postgresql://");
    }
}
